"""The table of all scenarios, as people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.cluster.invariants import Findings

HEAD = (
    "scenario", "faults injected", "accepted", "by status", "outputs checked",
    "doubled", "lost", "wrong", "left over", "strays", "dead letters", "answers", "seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of one scenario."""

    scenario: str
    faults: Mapping[str, int]
    accepted: int
    answers: Mapping[str, int]
    findings: Findings
    dead_letters: int
    seconds: float

    def cells(self) -> Sequence[str]:
        """In the order of the table's head."""
        found = self.findings
        return (
            self.scenario,
            _counted(self.faults) or "none",
            str(self.accepted),
            _counted(found.statuses),
            str(found.outputs),
            str(len(found.doubled)),
            str(len(found.lost)),
            str(len(found.wrong)),
            str(len(found.left)),
            str(len(found.strays)),
            str(self.dead_letters),
            _counted(self.answers),
            f"{self.seconds:.1f}",
        )


def table(rows: Sequence[Row]) -> str:
    """A table in Markdown, aligned so that a terminal shows it as well."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(HEAD))]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:], ""])


def report(
    rows: Sequence[Row], lines: Mapping[str, str], seed: int, machine: str
) -> str:
    """The page that `--chaos-report` writes; `lines` are crash tests and their ends."""
    stood = "\n".join(f"- {outcome}: {title}" for title, outcome in lines.items())
    return f"""# The cluster, broken on purpose

Written by `python -m pytest tests/chaos/cluster --chaos-report docs/reports/chaos.md
--chaos-seed {seed}`; do not edit.

- machine: {machine}
- cluster: two each of `pixtools serve`, `worker` (two stages at once), `scheduler`;
  PostgreSQL, RabbitMQ (quorum queues), Redis, Ceph's S3; `LEASE_SECONDS` 4,
  `QUEUE_SIZE` 150

## Hundreds of jobs while something breaks

{table(rows)}
Each scenario sends at least 300 jobs of every kind: multipart, presigned, batches and
the classic face; photos of five formats, one of them torn off, one of ten megabytes;
resizing, conversion, watermarks, metadata, ZIPs; some are canceled, erased or watched.
Faults strike at random moments. Clients send again, with the same key, what was not
answered. *Outputs checked* were downloaded and compared, byte for byte, with what the
engine gives without any service. *Doubled*: a second terminal event, a second event of
an output, a second stage that does the same, a second job for a key. *Lost*: accepted
and not ended. *Wrong*: another status, other files, an answer that no service should
give. *Left over*: work, leases, wake-ups or messages when all is done; dead letters that
are not the poison that was sent. *Strays*: bytes that no link leads to, because a
process died or a server was away when they were to be deleted; the scheduler's rounds
and the bucket's rules delete them. *Answers*: what all requests of the clients got, by
status or by the error of the connection.

## A process that stops at exactly one line

{stood}
"""


def _counted(counts: Mapping[str, int]) -> str:
    """Each word with its number, the most frequent first."""
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{number} {word}" for word, number in pairs)
