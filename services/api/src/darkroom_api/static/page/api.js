// What this page asks of the API.

const PATIENCE = 20; // seconds that the server may let a question about a group wait
const PAUSE = 1500; // milliseconds before asking again where the server could not wait, or was not there

const BASE = new URL("../..", import.meta.url); // the service may have its host to itself, or a path of it

/** Where a path of the API is. */
export function address(path) {
  return new URL(path, BASE).href;
}

export class Refusal extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? problem?.error ?? `The server responded with status ${status}.`);
    this.status = status;
  }
}

/** Sends a batch; `report` is called with the share that was sent. Resolves to the API's receipt. */
export function send(files, operations, key, report) {
  const form = new FormData();
  form.append("operations", JSON.stringify(operations));
  for (const file of files) form.append("images", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch cannot tell how much was sent
    request.open("POST", address("process_images"));
    if (key) request.setRequestHeader("Authorization", `Bearer ${key}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && report(event.loaded / event.total);
    request.onerror = () => reject(new Error("Can't reach the server, or the connection was lost."));
    request.onload = () =>
      request.status === 202 ? resolve(request.response) : reject(new Refusal(request.status, request.response));
    request.send(form);
  });
}

/** What whoever waits for images should know, or null. */
export async function notice(signal) {
  const answer = await ask("page/notice", null, signal);
  return answer?.ok ? (await answer.json()).notice : null;
}

/** The states of a group, each as soon as it is known, until the group has ended; null while the server is away. */
export async function* follow(groupId, signal) {
  let etag = null;
  for (;;) {
    const answer = await ask(`status/${groupId}?wait=${etag ? PATIENCE : 0}`, etag, signal);
    if (answer?.status === 200) {
      etag = answer.headers.get("ETag");
      const group = await answer.json();
      yield group;
      if (group.finished_at) return;
    } else if (answer && answer.status !== 304 && answer.status < 500) {
      throw new Refusal(answer.status, await answer.json());
    } else {
      if (answer?.status !== 304) yield null;
      await pause(PAUSE, signal);
    }
  }
}

async function ask(path, etag, signal) {
  try {
    return await fetch(address(path), { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store", signal });
  } catch (error) {
    if (signal.aborted) throw error;
    return null; // the server is away for a moment
  }
}

export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}
