// sharp: one decoder shared by clones, all outputs at once, as its documents advise.
// `--plain` turns off sharp's second Huffman pass, which PixTools does not take either;
// `--careful` decodes JPEGs at a reduced size only where libvips' own thumbnail would.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

sharp.cache(false); // or the second time would be no work at all

const told = JSON.parse(process.argv.at(-1));
const plain = process.argv.includes("--plain");
const careful = process.argv.includes("--careful");

const encoders = {
  jpg: (image, { quality }) =>
    image.jpeg({ quality: quality ?? 80, optimiseCoding: !plain }),
  png: (image, { effort }) =>
    image.png(effort === null ? {} : { compressionLevel: effort }),
  webp: (image, { quality, effort }) =>
    image.webp({ quality: quality ?? 80, effort: effort ?? 4 }),
  avif: (image, { quality, effort }) =>
    image.avif(quality === null ? {} : { quality, effort, chromaSubsampling: "4:2:0" }),
};

function scaled(image, { side, fit }) {
  if (!side) return image;
  const withoutEnlargement = fit === "inside";
  const fastShrinkOnLoad = !careful;
  return image.resize(side, side, { fit, withoutEnlargement, fastShrinkOnLoad });
}

async function work() {
  const image = sharp(told.source).autoOrient();
  const made = told.wanted.map(async (wanted) => {
    const path = join(told.out, `${wanted.id}.${wanted.format}`);
    await encoders[wanted.format](scaled(image.clone(), wanted), wanted).toFile(path);
    return [wanted.id, path];
  });
  return Object.fromEntries(await Promise.all(made));
}

function memory(name) {
  const status = readFileSync("/proc/self/status", "ascii");
  return Number(status.match(`${name}:\\s+(\\d+)`)[1]) * 1024 / 1e6;
}

const shift = { cpu_ms: [], wall_ms: [], files: {} };
for (let time = 0; time < told.repeats; time++) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  shift.files = await work();
  shift.wall_ms.push(performance.now() - started);
  const used = process.cpuUsage(cpu);
  shift.cpu_ms.push((used.user + used.system) / 1000);
}
shift.peak_mb = memory("VmHWM");
shift.after_mb = memory("VmRSS");
console.log(JSON.stringify(shift));
