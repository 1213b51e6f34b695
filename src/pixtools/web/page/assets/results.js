// One card for each job: progress, outputs, facts, the ZIP, and what went wrong.

import { ended } from "./client.js";
import { el, titled } from "./controls.js";

const LABELS = {
  camera_make: "Camera make",
  camera_model: "Camera",
  lens_model: "Lens",
  captured_at: "Taken",
  exposure_time: "Exposure",
  aperture: "Aperture",
  iso: "ISO",
  gps: "Place",
  focal_length: "Focal length",
  color_space: "Colours",
  icc_profile: "Profile",
  has_alpha: "Transparency",
};

/** A card with a `show(job)` and a `fail(sentence)` of its own. */
export function jobCard(name, { onCancel }) {
  const title = el("h3", {}, name);
  const status = el("span", { class: "status" }, "sending");
  const bar = el("progress", { max: 1, value: 0, "aria-label": `Progress of ${name}` });
  const cancel = el("button", { type: "button", class: "button small" }, `Cancel ${name}`);
  cancel.hidden = true;
  cancel.addEventListener("click", onCancel);
  const body = el("div", { class: "results" });
  const head = el("header", {}, title, status, cancel);
  const node = el("article", { class: "card job" }, head, bar, body);
  const parts = { status, bar, cancel, body };
  return {
    node,
    upload: (fraction) => {
      bar.value = fraction * 0.3;
    },
    show: (job) => show(parts, job),
    fail: (text) => fail(parts, text),
  };
}

/** A byte count for people. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 1e6) return `${(count / 1000).toFixed(0)} kB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

function show({ status, bar, cancel, body }, job) {
  status.textContent = job.status;
  status.className = `status ${job.status}`;
  bar.hidden = ended(job);
  bar.value = 0.3 + job.progress * 0.7;
  cancel.hidden = ended(job);
  const over = ended(job);
  slot(body, "trouble", [job.queue_position, job.error?.detail], () => waitOrTrouble(job));
  slot(body, "outputs", [over, job.outputs.map((each) => each.status)], () => over && outputs(job));
  slot(body, "facts", [over, job.metadata], () => over && job.metadata && facts(job.metadata));
  slot(body, "actions", [over, job.archive?.status], () => over && actions(job));
}

/** A place that is drawn anew only when what it shows has changed: links are signed
 * for each answer, and a picture that is looked at must not be fetched again. */
function slot(body, name, shown, draw) {
  let place = body.querySelector(`[data-slot=${name}]`);
  if (!place) {
    place = el("div", { "data-slot": name });
    body.append(place);
  }
  const key = JSON.stringify(shown);
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.replaceChildren(...[draw()].filter(Boolean));
}

function waitOrTrouble(job) {
  if (job.error) return el("p", { class: "notice" }, job.error.detail);
  if (!job.queue_position) return null;
  return el("p", { class: "muted" }, `${job.queue_position} before it in the queue.`);
}

function fail({ status, bar, cancel, body }, text) {
  status.textContent = "refused";
  status.className = "status failed";
  bar.hidden = true;
  cancel.hidden = true;
  body.replaceChildren(el("p", { class: "notice" }, text));
}

function outputs(job) {
  const list = job.outputs.map((output) => el("li", {}, ...outputParts(job, output)));
  return el("ul", { class: "outputs" }, ...list);
}

function outputParts(job, output) {
  const name = el("strong", {}, output.id);
  if (output.status !== "succeeded") {
    const why = output.error?.detail ?? output.status;
    return [name, el("p", { class: "notice" }, why)];
  }
  const size = `${output.width} × ${output.height}, ${bytes(output.bytes)}`;
  const alt = `${output.id}, ${output.format}, ${output.width} by ${output.height} pixels`;
  return [
    el("img", { src: output.url, alt, loading: "lazy" }),
    name,
    el("span", { class: "muted" }, `${size} ${saved(job.source.bytes, output.bytes)}`),
    noise(output),
    el("a", { href: output.url, class: "button small", download: true }, `Download ${output.id}`),
  ];
}

/** What became of the noise, where it was to be removed. */
function noise(output) {
  if (output.noise_sigma === null) return null;
  const sigma = `noise of σ ${output.noise_sigma.toFixed(1)}`;
  const said = output.skipped ? `Already clean (${sigma})` : `Removed ${sigma}, by ${output.model}`;
  return el("span", { class: "noise" }, said);
}

function saved(before, after) {
  const percent = Math.round((1 - after / before) * 100);
  return percent >= 0 ? `(${percent} % smaller)` : `(${-percent} % larger)`;
}

function facts(metadata) {
  const rows = Object.entries(metadata).flatMap(([name, value]) => [
    el("dt", {}, LABELS[name] ?? titled(name)),
    el("dd", {}, text(value)),
  ]);
  return el("details", { open: true }, el("summary", {}, "Facts"), el("dl", { class: "facts" }, ...rows));
}

function text(value) {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (value && typeof value === "object") {
    return Object.entries(value)
      .map(([name, part]) => `${name} ${part}`)
      .join(", ");
  }
  return String(value);
}

function actions(job) {
  const archive = job.archive;
  if (!archive || archive.status === "skipped") return null;
  if (archive.status === "failed") return el("p", { class: "muted" }, "The ZIP could not be made.");
  if (!archive.url) return el("p", { class: "muted" }, "The ZIP is being made…");
  const label = `Download all as ZIP (${bytes(archive.bytes)})`;
  return el("p", { class: "row" }, el("a", { href: archive.url, class: "button", download: true }, label));
}
