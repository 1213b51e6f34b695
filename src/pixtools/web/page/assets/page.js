// The page: choose photos, choose what to make of them, see the results.

import { follow, read, submit, ended } from "./client.js";
import { control, el, optionsIn } from "./controls.js";
import { bytes, jobCard } from "./results.js";
import { whenSignedIn } from "./session.js";

const SIZE = ["width", "height", "fit", "gravity", "enlarge"];
const SHOWN_APART = new Set([...SIZE, "id", "action", "format", "watermark", "denoise"]);
const AT_ONCE = 3;
const $ = (id) => document.getElementById(id);
const chosen = [];
let formats = [];
let limits = {};
let presets = [];

async function start() {
  const [operations, served, named] = await Promise.all([
    read("v1/operations"),
    read("v1/limits"),
    read("v1/presets"),
  ]);
  limits = served;
  presets = named.data;
  draw(operations);
  const most = `Up to ${bytes(limits.max_upload_bytes)} and ${Math.round(limits.max_pixels / 1e6)} megapixels each.`;
  $("limits").textContent = most;
}

function draw(operations) {
  const resize = operations.actions.resize;
  const mark = resize.$defs.Watermark.properties;
  formats = operations.formats.filter((format) => format.writes);
  $("formats").append(...formats.map(chip));
  $("size").append(...SIZE.map((name) => control(name, resize.properties[name])));
  const rest = Object.keys(resize.properties).filter((name) => !SHOWN_APART.has(name));
  $("encoding").append(...rest.map((name) => control(name, resize.properties[name])));
  if (operations.actions.denoise) drawNoise(resize.$defs.Denoising.properties);
  const marks = Object.keys(mark).filter((name) => name !== "image");
  $("mark").append(...marks.map((name) => control(name, mark[name])));
  $("preset").append(...presets.map((preset) => el("option", { value: preset.name }, preset.name)));
}

/** Only where there is a network for it. */
function drawNoise(options) {
  $("noise").hidden = false;
  const rows = Object.entries(options).map(([name, schema]) => control(name, schema));
  $("noise-options").append(...rows);
}

function chip(format) {
  const box = el("input", {
    type: "checkbox",
    class: "unseen",
    value: format.name,
    name: "format",
    checked: format.name === "webp",
  });
  return el("label", { class: "chip" }, box, el("span", {}, format.title));
}

/** The pipeline that the form describes: one step for each format. */
function pipeline() {
  const shared = { ...optionsIn($("size")), ...optionsIn($("encoding")) };
  const mark = optionsIn($("mark"));
  if (mark.text) shared.watermark = mark;
  if ($("denoise").checked) shared.denoise = optionsIn($("noise-options"));
  const wanted = [...document.querySelectorAll("[name=format]:checked")].map((box) => box.value);
  const steps = formats
    .filter((format) => wanted.includes(format.name))
    .map((format) => step(format, shared));
  if ($("metadata").checked) steps.push({ id: "metadata", action: "metadata" });
  return steps;
}

/** Options that a format has no dial for are left out of its step. */
function step(format, shared) {
  const options = { ...shared };
  const lossy = format.lossy && !(options.lossless && format.lossless);
  if (!format.lossless || format.name === "png" || format.name === "tiff") delete options.lossless;
  if (!lossy) delete options.quality;
  if (!lossy) delete options.max_bytes;
  if (!format.animation) delete options.animated;
  if (!format.effort_range) delete options.effort;
  const sized = options.width || options.height;
  return { id: format.name, action: sized ? "resize" : "convert", format: format.name, ...options };
}

function add(files) {
  const large = [...files].filter((file) => file.size > limits.max_upload_bytes);
  const good = [...files].filter((file) => file.size <= limits.max_upload_bytes);
  chosen.push(...good);
  const names = large.map((file) => file.name).join(", ");
  trouble(large.length ? `Too large (over ${bytes(limits.max_upload_bytes)}): ${names}` : "");
  drawQueue();
}

function drawQueue() {
  const rows = chosen.map((file, at) => {
    const remove = el("button", { type: "button", class: "button small" }, "Remove");
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.addEventListener("click", () => {
      chosen.splice(at, 1);
      drawQueue();
      $("files").focus();
    });
    return el("li", {}, el("span", { class: "name" }, file.name), bytes(file.size), remove);
  });
  $("queue").replaceChildren(...rows);
  $("go").disabled = chosen.length === 0;
  $("go").textContent = chosen.length > 1 ? `Process ${chosen.length} photos` : "Process";
}

async function process(event) {
  event.preventDefault();
  const fields = order();
  if (!fields) return;
  const files = chosen.splice(0);
  drawQueue();
  $("nothing").hidden = true;
  say(`${files.length} sent.`);
  const waiting = [...files];
  const lane = async () => {
    while (waiting.length) await run(waiting.shift(), fields);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

function order() {
  const preset = $("preset").value;
  if (preset) return { preset };
  const steps = pipeline();
  trouble(steps.length ? "" : "Choose at least one format, or the metadata.");
  return steps.length ? { pipeline: JSON.stringify(steps) } : null;
}

async function run(file, fields) {
  let job = null;
  const cancel = () => job && read(`v1/jobs/${job.job_id}/cancel`, { method: "POST" }).catch(() => {});
  const card = jobCard(file.name, { onCancel: cancel });
  $("jobs").prepend(card.node);
  try {
    job = await submit(file, fields, card.upload);
  } catch (error) {
    card.fail(error.message);
    say(`${file.name} was refused: ${error.message}`);
    return;
  }
  card.show(job);
  await new Promise((resolve) => {
    follow(job, (now) => {
      card.show(now);
      if (!ended(now)) return;
      if (!ended(job)) say(`${file.name}: ${now.status}.`);
      job = now;
      resolve();
    });
  });
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

function say(text) {
  $("live").textContent = text;
}

function listen() {
  $("order").addEventListener("submit", process);
  $("files").addEventListener("change", () => {
    add($("files").files);
    $("files").value = "";
  });
  $("denoise").addEventListener("change", () => {
    $("noise-options").hidden = !$("denoise").checked;
  });
  $("preset").addEventListener("change", () => {
    const preset = presets.find((each) => each.name === $("preset").value);
    $("preset-help").textContent = preset?.help ?? "";
  });
  document.addEventListener("paste", (event) => add(event.clipboardData?.files ?? []));
  listenForDrops();
}

function listenForDrops() {
  let depth = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const over = (change) => (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = Math.max(0, depth + change);
    $("overlay").hidden = depth === 0;
  };
  document.addEventListener("dragenter", over(1));
  document.addEventListener("dragleave", over(-1));
  document.addEventListener("dragover", over(0));
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    $("overlay").hidden = true;
    add(event.dataTransfer.files);
  });
}

listen();
whenSignedIn(() => start().catch((error) => trouble(error.message))).catch((error) => {
  $("order").hidden = false;
  trouble(error.message);
});
