// Talking to the server. Whatever goes wrong is an Error whose message people can read.

const csrf = document.querySelector("meta[name=csrf]").content;
const PATIENCE = 15000;

async function asked(path, options) {
  let reply;
  try {
    reply = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE), credentials: "same-origin" });
  } catch {
    throw new Error("The server does not answer.");
  }
  let said = {};
  try {
    said = await reply.json();
  } catch {
    if (reply.ok) throw new Error("The server's answer broke off.");
  }
  if (reply.ok) return said;
  if (reply.status === 401 || reply.status === 403) throw new Error("The server was started anew. Open the address that it printed last.");
  throw Object.assign(new Error(`The server refused: ${said.error ?? reply.status}.`), { status: reply.status });
}

export function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined);
  const said = new URLSearchParams(given).toString();
  return asked(said ? `${path}?${said}` : path, {});
}

export function post(path, body) {
  const headers = { "Content-Type": "application/json", "X-Relabel-Page": csrf };
  return asked(path, { method: "POST", headers, body: JSON.stringify(body) });
}
