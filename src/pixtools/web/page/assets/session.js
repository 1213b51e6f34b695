// Signing in: the key is sent once, and is in no address, no store and no page after.

import { onSignedOut, read } from "./client.js";

const $ = (id) => document.getElementById(id);
let begin = null;

/** Call `start` as soon as the server knows us, or asks nobody. */
export async function whenSignedIn(start) {
  begin = start;
  $("sign-in").addEventListener("submit", signIn);
  $("sign-out").addEventListener("click", signOut);
  onSignedOut(() => ask("You are no longer signed in."));
  show(await read("v1/session"));
}

function show(session) {
  const asked = session.authentication === "required";
  const known = session.tenant !== null;
  $("sign-out").hidden = !(asked && known);
  $("sign-in").hidden = known;
  $("order").hidden = !known;
  $("results").hidden = !known;
  if (!known) $("key").focus();
  if (known && begin) {
    const start = begin;
    begin = null;
    start();
  }
}

async function signIn(event) {
  event.preventDefault();
  const key = $("key").value.trim();
  trouble(key ? "" : "Enter an API key.");
  if (!key) return;
  $("key").value = "";
  try {
    const body = JSON.stringify({ key });
    const headers = { "Content-Type": "application/json" };
    show(await read("v1/session", { method: "POST", headers, body }));
    document.querySelector("main input:not([hidden])")?.focus();
  } catch (error) {
    trouble(error.message);
    $("key").focus();
  }
}

/** A fresh page holds nothing of whoever was signed in. */
async function signOut() {
  await read("v1/session", { method: "DELETE" }).catch(() => {});
  location.reload();
}

function ask(why) {
  show({ authentication: "required", tenant: null });
  trouble(why);
}

function trouble(text) {
  $("sign-in-trouble").textContent = text;
  $("sign-in-trouble").hidden = !text;
}
