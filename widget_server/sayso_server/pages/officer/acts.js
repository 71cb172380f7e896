// The forms of what can be done with a request.

import { choose, field, h, problems } from "./dom.js";
import { call } from "./session.js";
import { ACTS, HOLDERS, REASONS, day, waitsForName } from "./words.js";

const area = (name, required = false) => h("textarea", { name, rows: "3", maxlength: "4000", required });
const line = (name, required = false, more = {}) => h("input", { type: "text", name, required, autocomplete: "off", ...more });
const note = () => field("Note for the file", area("note"), { hint: "The person does not see it.", wide: true });

const FORMS = {
  acknowledge: () => [note()],
  verify: () => [
    field("What they are asked for", area("ask"), { wide: true }),
    field("Expires after, in days", h("input", { type: "number", name: "within_days", value: "30", min: "1", max: "90", required: true })),
    note(),
  ],
  start: (request) => [
    request.verified || !needsProof(request) ? null : field("How it was made sure who is asking", area("verified", true), { hint: "Such as: called back on the number on file.", wide: true }),
    request.consumer_id ? null : field("Whose request it is", line("consumer_id", waitsForName(request)), { hint: "The brand’s own id of the consumer." }),
    note(),
  ],
  extend: (request) => [
    h("p", {}, `The answer is then due ${day(request.deadlines.extended_until)}. The person has to be told by ${day(request.deadlines.extend_by)}, and why.`),
    field("Reason, as the person is told it", area("reason", true), { wide: true }),
    note(),
  ],
  fulfil: (request) => [
    ...Object.keys(request.detail.urls || {}).map((url) =>
      field(url, choose("url", [["", "Choose…"], ["removed", "Removed"], ["kept", "Kept"]], { required: true })),
    ),
    field("What the person is told", area("answer"), { wide: true }),
    note(),
    confirm(sure(request)),
  ],
  deny: (request) => [
    field("Reason", choose("reason", [["", "Choose…"], ...Object.entries(REASONS)], { required: true })),
    h(
      "fieldset",
      {},
      h("legend", {}, "What the person is told"),
      radio("why", "grounds", "The grounds, in words", true),
      radio("why", "barred_by", "A law bars telling the grounds: name it"),
    ),
    field("Grounds, or the law", area("words", true), { hint: `In the language of the answer (${request.language}).`, wide: true }),
    h("div", { class: "aside" }, h("h4", {}, "Added by itself: whom they can turn to"), h("p", {}, request.recourse.words)),
    note(),
  ],
  revoke: () => [note()],
  "hand-over": (request) => [
    h("p", {}, "The clock goes on."),
    field("Who goes on with it", choose("to", Object.entries(HOLDERS), { value: request.held_by === "brand" ? "platform" : "brand", required: true })),
    note(),
  ],
  note: () => [field("Note for the file", area("note", true), { hint: "The person does not see it.", wide: true })],
  lift: () => [field("How the person was told beforehand", area("told", true), { hint: "GDPR Art. 18(3)", wide: true }), note()],
};

const DONE = {
  acknowledge: "Receipt is confirmed.",
  verify: "It waits for proof of who is asking. The clock goes on.",
  start: "Work has started.",
  extend: "It is extended.",
  fulfil: "It is fulfilled.",
  deny: "It is denied.",
  revoke: "It was taken back.",
  "hand-over": "It was handed over.",
  note: "The note is in the file.",
  lift: "The restriction has ended.",
};

/** Whether it can be asked who is asking; an opt-out is carried out without. */
function needsProof(request) {
  return request.state === "awaiting_verification" || request.legal.includes("verify");
}

function sure(request) {
  if (waitsForName(request)) return "Nobody was named, so nothing was stopped here: it was stopped wherever else these messages are sent from.";
  if (request.kind !== "delete") return "What was asked for has been done.";
  return `Erase everything held about ${request.consumer_id}, this request’s content included. It can’t be undone.`;
}

function confirm(words) {
  const box = h("input", { type: "checkbox", name: "sure", required: true });
  return h("label", { class: "check" }, box, h("span", {}, words));
}

function radio(name, value, words, checked = false) {
  return h("label", { class: "check" }, h("input", { type: "radio", name, value, checked }), h("span", {}, words));
}

/**
 * The form of one transition.
 * @param {string} act - one of the request's `legal`.
 * @param {Object} request
 * @param {{done: Function, refused: Function, close: Function}} then
 */
export function form(act, request, { done, refused, close }) {
  const said = h("div", {});
  const dangerous = act === "deny" || (act === "fulfil" && request.kind === "delete");
  const submit = h("button", { type: "submit", class: dangerous ? "danger" : "main" }, dangerous && act === "fulfil" ? "Erase and fulfil" : ACTS[act]);
  const made = h(
    "form",
    { class: "panel", "aria-labelledby": "act-title" },
    h("h3", { id: "act-title" }, ACTS[act]),
    ...FORMS[act](request),
    said,
    h("p", { class: "row" }, submit, h("button", { type: "button", onclick: close }, "Cancel")),
  );
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      done(await call("POST", `/v1/requests/${request.id}/${act}`, body(act, made, request)), DONE[act]);
    } catch (error) {
      submit.disabled = false;
      // What the server no longer allows, it says; the page then shows what it does allow.
      if (error.legal) await refused(error);
      else {
        said.replaceChildren(problems(error));
        said.firstChild.focus();
      }
    }
  });
  made.addEventListener("keydown", (event) => event.key === "Escape" && close());
  return made;
}

function body(act, made, request) {
  const data = new FormData(made);
  const text = (name) => (data.get(name) || "").trim() || undefined;
  const members = { note: text("note") };
  if (act === "verify") Object.assign(members, { ask: text("ask"), within_days: Number(data.get("within_days")) });
  if (act === "start") Object.assign(members, { verified: text("verified"), consumer_id: text("consumer_id") });
  if (act === "extend") members.reason = text("reason");
  if (act === "fulfil") {
    const states = data.getAll("url");
    const urls = Object.keys(request.detail.urls || {});
    members.answer = text("answer");
    if (urls.length) members.urls = Object.fromEntries(urls.map((url, place) => [url, states[place]]));
  }
  if (act === "deny") Object.assign(members, { reason: data.get("reason"), [data.get("why")]: text("words") });
  if (act === "hand-over") members.to = data.get("to");
  if (act === "lift") members.told = text("told");
  return members;
}
