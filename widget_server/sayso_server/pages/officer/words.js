// What things are called on the page.

export const KINDS = {
  access: "See what is held",
  copy: "Get a copy",
  transfer: "Take the data elsewhere",
  correct: "Correct something",
  delete: "Delete",
  "withdraw-all": "Withdraw everything",
  object: "Object to a use",
  restrict: "Restrict use",
  "minor-content-removal": "Remove a minor’s posts",
  "sale-opt-out": "Do not sell or share",
  "sms-opt-out": "No more text messages",
  "email-opt-out": "No more e-mail",
};

const STOPS = ["withdraw-all", "object", "restrict", "sale-opt-out", "sms-opt-out", "email-opt-out"];

export const STATES = {
  received: "Received",
  acknowledged: "Receipt confirmed",
  awaiting_verification: "Waiting for proof of who asks",
  in_progress: "In progress",
  extended: "Extended",
  fulfilled: "Fulfilled",
  denied: "Denied",
  revoked: "Taken back",
  expired: "Expired",
};

export const CHANNELS = {
  api: "the brand’s system",
  widget: "the chat widget",
  chat: "chat",
  page: "the page /rights",
  email: "e-mail",
  phone: "phone",
  post: "post",
  in_person: "in person",
  drp: "an authorized agent",
};

export const HOLDERS = { brand: "the brand", platform: "the platform" };

export const REASONS = {
  suspected_fraud: "Suspected fraud: it does not come from this person",
  insuf_verification: "It could not be made sure who is asking",
  no_match: "Nothing was found under what they gave",
  claim_not_covered: "The law gives no right to it",
  outside_jurisdiction: "The law named does not apply where they live",
  too_many_requests: "Asked more often than the law obliges to answer",
  other: "Another reason",
};

export const ACTS = {
  acknowledge: "Confirm receipt",
  verify: "Ask who is asking",
  start: "Start work",
  extend: "Extend",
  fulfil: "Fulfil",
  deny: "Deny",
  revoke: "They take it back",
  "hand-over": "Hand over",
  note: "Add a note",
  lift: "End the restriction",
};

export const FAULTS = {
  inaccurate: "Inaccurate",
  incomplete: "Incomplete",
  ambiguous: "Ambiguous",
  unauthorised: "Unauthorised",
};

export const LANGUAGES = { en: "English", es: "Spanish", fr: "French" };

export const PLACES = {
  "": "Not known (the strictest law counts)",
  EEA: "European Economic Area",
  GB: "United Kingdom",
  US: "United States, state not known",
  "US-CA": "California",
  CA: "Canada, province not known",
  "CA-QC": "Québec",
};

const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });
const MOMENT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

export const day = (text) => (text ? DAY.format(new Date(text)) : "");
export const moment = (text) => (text ? MOMENT.format(new Date(text)) : "");

const days = (count) => `${count} day${count === 1 ? "" : "s"}`;

/** Whether it is to stop something and waits for nothing but a name: nobody has to show who they are for these. */
export function waitsForName(request) {
  return STOPS.includes(request.kind) && request.days_left !== null && !request.consumer_id;
}

/** How pressing a request is: a word for the colour and words for everybody. */
export function pressing(request) {
  const left = request.days_left;
  if (left === null) return { kind: "closed", words: STATES[request.state] || request.state };
  if (waitsForName(request)) return { kind: "late", words: "Not in force yet: name the consumer now" };
  if (left < 0) return { kind: "late", words: `Overdue by ${days(-left)}` };
  if (left === 0) return { kind: "late", words: "Due within a day" };
  if (left <= 7) return { kind: "soon", words: `${days(left)} left` };
  return { kind: "calm", words: `${days(left)} left` };
}

/** Whom a request is about, in the fewest words. */
export function person(request) {
  if (request.contact && request.contact.name) return request.contact.name;
  if (request.consumer_id) return request.consumer_id;
  return request.effects && request.effects.erased ? "erased" : "nobody known yet";
}

export function stamp(by) {
  if (!by) return "";
  if (by.staff) return by.staff;
  return { backend: "the brand’s system", consumer: "the consumer", link: "a link or form", time: "nobody: time ran out", operator: "a command" }[by.class] || by.class;
}
