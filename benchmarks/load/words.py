"""What a reader has to know to understand the report's numbers."""

from __future__ import annotations

from typing import Final

READING: Final = """\
*Submit* is the time from the moment at which a request was due until its whole answer
was there, of requests that were accepted; waiting for a connection counts. *Result* is
the time from that moment until the job's success. *Later* are 503 and 429 that say in
`Retry-After` when to come again, *in flight* are 409 to a request whose first one is
still being answered, *replayed* are first answers given again; all three are answers.
*Errors* are other 5xx, other refusals, and requests that got no answer. Queue depths
come from the jobs' own moments in their documents, so that looking at them costs
nothing. Photos, requests and their moments are the same in each run."""

ABOUT: Final = {
    "baseline": """\
Clients arrive by chance with half of what the service does per second, while eight
others always have a job in the queue each, so that its workers are saturated: at the
best moment {waiting} jobs waited for one.""",
    "spike": """\
Thirty clients send 2 MP for WebP at the rate that the seed accepted from thirty
clients (28.5/s), by the clock; then nobody comes until all is done. The seed's clients
sent as fast as they were answered, which was this fast; ours would send more, see
*Rush*. The median job took {share} of the time from the last request to the last
result; the seed's took 1.06 of it, because its jobs all ended at the end. In the order
in which they came it is 0.5; the gate counts from the first request.""",
    "rush": """\
The same thirty clients send their next photo as soon as the last is answered, and wait
when they are told to. `QUEUE_SIZE` is 400. What waits when they leave is canceled.""",
    "retry storm": """\
Each request is sent eight times with one `Idempotency-Key`, by 32 clients, so that
most come before the first is answered. Each key may lead to one job only, counted over
all jobs that exist afterwards.""",
    "starvation mix": """\
Light jobs (2 MP to WebP) arrive by the clock, one tenth of what the service does per
second, and at the same moments twice: alone, and when twenty heavy ones (12 MP to AVIF
with much effort, about as heavy as denoising) stand before them. Heavy ones that have
not ended when the last light one has are canceled.""",
}

THE_SEED: Final = """\
The seed was measured once, on two cores elsewhere; what carries over is its relation to
bare Pillow on the same cores: 0.77 of its jobs per second, at both jobs. So bare Pillow
does the same jobs here, in this run, one process for each core, before and after us;
each output decodes anew, as the seed did. *The seed, here and now*: jobs per second are
0.77 × bare Pillow's, CPU per job is bare Pillow's ÷ 0.77 (the seed kept its cores
busy, so its jobs per second are jobs per core and second), and its submit times are
stretched by (0.98 or 4.65) ÷ 0.77 ÷ bare Pillow's jobs per second here. The column *of
workers* is stricter: the CPU of its worker processes alone, carried over likewise.
Ours counts every process of PixTools; servers (database, broker, objects) count for
neither."""

BARE_STORE: Final = """\
Eight clients who put the same 12 MP photo straight into the same store at the same
moment, without any service between, wait {p50} ms at the median and {p95} ms at p95. A
service that answers when the bytes are safe adds to that; where it is more than a gate
allows, the gate is out of reach on this machine. Clients whose bytes should not pass
through the service use `s3_presigned`."""
