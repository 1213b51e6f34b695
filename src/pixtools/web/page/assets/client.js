// Talks to the service: sends a photo with upload progress, then follows its job.

const TERMINAL = new Set(["succeeded", "partial", "failed", "canceled"]);

/** Whether the job's status can no longer change. */
export const ended = (job) => TERMINAL.has(job.status);

let signedOut = () => {};

/** Call this when the server no longer knows who asks. */
export function onSignedOut(tell) {
  signedOut = tell;
}

/** Read JSON, or throw an Error with the server's own sentence. */
export async function read(url, options) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch {
    throw new Error("The server can't be reached.");
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) minded(url, answer.status);
  if (!answer.ok) throw new Error(sentence(body, answer.status));
  return body;
}

/** Send one photo; XHR, because only it tells how far the upload is. */
export function submit(file, fields, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", "v1/jobs");
    request.setRequestHeader("Idempotency-Key", newKey());
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status < 300) return resolve(request.response);
      minded("v1/jobs", request.status);
      reject(new Error(sentence(request.response, request.status)));
    };
    request.onerror = () => reject(new Error("The server can't be reached."));
    request.send(form);
  });
}

/** Call `onJob` with each new document until job and archive have ended. */
export function follow(job, onJob) {
  const stream = new EventSource(`v1/jobs/${job.job_id}/events`);
  let failures = 0;
  const take = (event) => {
    failures = 0;
    onJob(JSON.parse(event.data));
    if (event.type === "done") stream.close();
  };
  for (const type of ["snapshot", "status", "output", "progress", "archive", "webhook", "done"]) {
    stream.addEventListener(type, take);
  }
  stream.onerror = () => {
    failures += 1;
    if (stream.readyState === EventSource.CLOSED || failures > 2) {
      stream.close();
      poll(job, onJob, 1000);
    }
  };
}

/** Ask again and again, more slowly each time: for networks that cut streams. */
async function poll(job, onJob, pause) {
  try {
    const now = await read(`v1/jobs/${job.job_id}`);
    onJob(now);
    if (ended(now) && !archiving(now)) return;
  } catch (error) {
    if (pause > 10000) throw error;
  }
  setTimeout(() => poll(job, onJob, Math.min(pause * 1.5, 10000)), pause);
}

/** A wrong key at the sign-in itself is no sign-out. */
function minded(url, status) {
  if (status === 401 && url !== "v1/session") signedOut();
}

const archiving = (job) => ["pending", "processing"].includes(job.archive?.status);

function sentence(problem, status) {
  const details = (problem?.errors ?? []).map((field) => field.detail).filter(Boolean);
  return details.join(" ") || problem?.detail || `The server answered ${status}.`;
}

/** A key for this one order, also where randomUUID is missing (http on a LAN). */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
