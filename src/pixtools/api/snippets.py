"""Programs that verify our signatures, as they are shown beside a sandbox."""

from __future__ import annotations

from base64 import b64decode
from typing import Final

PYTHON: Final = """\
import base64, hashlib, hmac, time

SECRET = "@SECRET@"


def verify(headers, body: bytes) -> bool:  # the raw body, before any JSON
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    stamp = headers["webhook-timestamp"]
    signed = f"{headers['webhook-id']}.{stamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(digest).decode()
    given = headers["webhook-signature"].split()
    fresh = abs(time.time() - int(stamp)) < 300
    return fresh and any(hmac.compare_digest(wanted, each) for each in given)
"""

NODE: Final = """\
const { createHmac, timingSafeEqual } = require("node:crypto");

const SECRET = "@SECRET@";

function verify(headers, body) { // the raw body as a Buffer, before any JSON
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const stamp = headers["webhook-timestamp"];
  const head = Buffer.from(`${headers["webhook-id"]}.${stamp}.`);
  const digest = createHmac("sha256", key).update(head).update(body).digest("base64");
  const wanted = Buffer.from(`v1,${digest}`);
  const fresh = Math.abs(Date.now() / 1000 - Number(stamp)) < 300;
  const same = (each) =>
    each.length === wanted.length && timingSafeEqual(Buffer.from(each), wanted);
  return fresh && headers["webhook-signature"].split(" ").some(same);
}
"""

CURL: Final = """\
# Signs a message of your own as PixTools would, and sends it: the answer says `valid`.
BODY='{"type":"job.succeeded","data":{}}'
ID="msg_$(openssl rand -hex 8)"
STAMP=$(date +%s)
SIGNATURE=$(printf '%s.%s.%s' "$ID" "$STAMP" "$BODY" |
  openssl dgst -sha256 -mac HMAC -macopt hexkey:@HEX@ -binary | openssl base64 -A)
curl -s '@URL@' -H 'content-type: application/json' \\
  -H "webhook-id: $ID" -H "webhook-timestamp: $STAMP" \\
  -H "webhook-signature: v1,$SIGNATURE" --data-binary "$BODY"
"""


def snippets(url: str, secret: str) -> dict[str, str]:
    """Programs that know a sandbox's secret."""
    key = b64decode(secret.removeprefix("whsec_")).hex()
    return {
        "python": PYTHON.replace("@SECRET@", secret),
        "node": NODE.replace("@SECRET@", secret),
        "curl": CURL.replace("@HEX@", key).replace("@URL@", url),
    }
