// Who is in. The token lives in this module's memory and nowhere else: no cookie, no storage, no address.

let token = null;
let session = null;
let timer = 0;
let whenOver = () => {};

export class ApiError extends Error {
  /** @param {number} status @param {Object} problem - RFC 9457 */
  constructor(status, problem) {
    super(problem.detail || `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code || "";
    this.errors = problem.errors || [];
    this.legal = problem.legal || null;
  }
}

/** Who is signed in, or null. */
export const who = () => session;
export const may = (...roles) => session !== null && roles.some((role) => session.roles.includes(role));

/** Name what is called when the sign-in has ended. */
export function onOver(listener) {
  whenOver = listener;
}

/** Use a sign-in link up. Its token is the last part of its path. */
export async function signIn(linkToken) {
  take(await ask("POST", `/invite/${encodeURIComponent(linkToken)}`, { bearer: null }));
}

export async function signOut() {
  try {
    await call("POST", "/v1/staff/sign-out");
  } finally {
    end(true);
  }
}

/** Call the server as whoever is in; gives the JSON that it answers. */
export async function call(method, path, body) {
  return (await request(method, path, { body })).json();
}

/** The same with what the Link header says comes next. */
export async function page(path) {
  const answer = await request("GET", path, {});
  const next = /<([^>]+)>; rel="next"/.exec(answer.headers.get("Link") || "");
  return { ...(await answer.json()), next: next ? next[1] : null };
}

/** Fetch a file whose route takes a token once: with one made for it alone. */
export async function file(path) {
  const spare = await ask("POST", "/v1/staff/renew", { bearer: token });
  return (await send("GET", path, { bearer: spare.token })).blob();
}

async function request(method, path, { body }) {
  if (token === null) throw new ApiError(401, { detail: "You are signed out." });
  try {
    return await send(method, path, { bearer: token, body });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) end();
    throw error;
  }
}

function take(answer) {
  token = answer.token;
  session = answer;
  clearTimeout(timer);
  timer = setTimeout(renew, answer.renew_in * 1000);
}

async function renew() {
  const before = token;
  try {
    const answer = await ask("POST", "/v1/staff/renew", { bearer: before });
    // Who has signed out, or in again, meanwhile stays so.
    if (token === before) take(answer);
  } catch (error) {
    if (token !== before) return;
    if (error instanceof ApiError && error.status === 401) return end();
    // The network may be back in a moment; until the token ends nothing is lost.
    clearTimeout(timer);
    timer = setTimeout(renew, 20_000);
  }
}

function end(wanted = false) {
  const before = session;
  token = null;
  session = null;
  clearTimeout(timer);
  if (before !== null) whenOver(before, wanted);
}

async function ask(method, path, { bearer }) {
  return (await send(method, path, { bearer })).json();
}

async function send(method, path, { bearer, body }) {
  const headers = {};
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
  } catch {
    throw new ApiError(0, { detail: "The server can’t be reached. Nothing has changed; try again." });
  }
  if (!answer.ok) throw new ApiError(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

// A laptop that slept may find its token at its end: renew as soon as somebody is back.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && token !== null) renew();
});
