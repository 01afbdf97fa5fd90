// The requests that this page sends to the API.

const LONG_POLL_SECONDS = 20; // how long the server may hold a status request until something changes
const RETRY_DELAY = 1500; // milliseconds before the next attempt when the server was busy or unreachable

const BASE = new URL("../..", import.meta.url); // the root of the service, which may be a path of its host

/** Returns the URL of a path of the API. */
export function address(path) {
  return new URL(path, BASE).href;
}

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? problem?.error ?? `The server responded with status ${status}.`);
    this.status = status;
  }
}

/** Sends a batch, reporting the share uploaded so far to `report`. Resolves to the API's response. */
export function send(files, operations, key, report) {
  const form = new FormData();
  form.append("operations", JSON.stringify(operations));
  for (const file of files) form.append("images", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not report upload progress
    request.open("POST", address("process_images"));
    if (key) request.setRequestHeader("Authorization", `Bearer ${key}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && report(event.loaded / event.total);
    request.onerror = () => reject(new Error("Can't reach the server, or the connection was lost."));
    request.onload = () =>
      request.status === 202 ? resolve(request.response) : reject(new ApiError(request.status, request.response));
    request.send(form);
  });
}

/** Resolves to a sentence for users whose images are waiting, or to null. */
export async function notice(signal) {
  const response = await ask("page/notice", null, signal);
  return response?.ok ? (await response.json()).notice : null;
}

/** Yields the status of a group after each change, until the group has ended; null while the server is unreachable. */
export async function* follow(groupId, signal) {
  let etag = null;
  for (;;) {
    const response = await ask(`status/${groupId}?wait=${etag ? LONG_POLL_SECONDS : 0}`, etag, signal);
    if (response?.status === 200) {
      etag = response.headers.get("ETag");
      const group = await response.json();
      yield group;
      if (group.finished_at) return;
    } else if (response && response.status !== 304 && response.status < 500) {
      throw new ApiError(response.status, await response.json());
    } else {
      if (response?.status !== 304) yield null;
      await pause(RETRY_DELAY, signal);
    }
  }
}

async function ask(path, etag, signal) {
  try {
    return await fetch(address(path), { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store", signal });
  } catch (error) {
    if (signal.aborted) throw error;
    return null; // unreachable for a moment
  }
}

export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}
