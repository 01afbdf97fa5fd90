// The page: upload photographs, follow the batch, download the results.

import { ApiError, address, follow, notice, pause, send } from "./api.js";
import { Gallery } from "./gallery.js";
import { operations, operationsText } from "./order.js";

const NOTICE_INTERVAL = 10_000; // milliseconds between checks for a running worker

const $ = (id) => document.getElementById(id);
const form = $("order");
const gallery = new Gallery($("gallery"), $("card"));
let chosen = [];
let tooLarge = false;
let watching = new AbortController();

function choose(files) {
  const limit = Number(form.dataset.maxBytes);
  const total = Number(form.dataset.maxTotal);
  chosen = files.slice(0, Number(form.dataset.maxImages));
  const size = chosen.reduce((sum, file) => sum + file.size, 0);
  const large = chosen.filter((file) => file.size > limit);
  const sentences = [];
  if (chosen.length) sentences.push(`${count(chosen.length)}, ${megabytes(size)}.`);
  if (files.length > chosen.length) sentences.push(`${count(files.length - chosen.length)} over the limit skipped.`);
  if (large.length) sentences.push(`Over the limit of ${megabytes(limit)}, will fail: ${names(large)}.`);
  if (size > total) sentences.push(`A batch can have at most ${megabytes(total)}: choose fewer photographs.`);
  $("chosen").textContent = sentences.join(" ");
  tooLarge = size > total;
  allowSending();
}

function allowSending() {
  $("send").disabled = !chosen.length || tooLarge;
}

function count(number) {
  return number === 1 ? "1 photograph" : `${number.toLocaleString("en")} photographs`;
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: bytes < 1e6 ? 3 : 1 })} MB`;
}

function names(files) {
  const shown = files.slice(0, 3).map((file) => file.name).join(", ");
  return files.length > 3 ? `${shown} and ${files.length - 3} more` : shown;
}

function showPlan() {
  try {
    $("plan").textContent = operationsText(operations(form));
  } catch {
    $("plan").textContent = ""; // a number is missing or invalid; submitting says which
  }
}

function showError(error) {
  $("notice").textContent = error ? error.message : "";
  $("notice").hidden = !error;
}

async function submit(event) {
  event.preventDefault();
  showError(null);
  $("send").disabled = true;
  try {
    const wanted = operations(form);
    const plan = operationsText(wanted);
    show({ files: chosen, summary: "Uploading …", plan });
    const receipt = await send(chosen, wanted, $("key").value, (share) => progress(share, "Uploading …"));
    history.pushState({ plan }, "", `#${receipt.group_id}`);
    if (watching.signal.aborted) await open(); // the user navigated back during the upload
    else await watch(receipt.group_id);
  } catch (error) {
    fail(error);
  } finally {
    allowSending();
  }
}

function fail(error) {
  if (error.name === "AbortError") return;
  if (error instanceof ApiError && error.status === 401) {
    $("key-row").hidden = false;
    $("key").focus();
  }
  hideBatch();
  showError(error);
}

function show({ files = [], summary, plan = "" }) {
  hideBatch();
  watching = new AbortController();
  gallery.reset(files);
  $("applied").textContent = plan;
  $("batch").hidden = false;
  progress(0, summary);
}

function hideBatch() {
  watching.abort();
  gallery.reset();
  $("batch").hidden = true;
  $("archive").hidden = true;
  $("waiting").hidden = true;
}

function progress(share, summary) {
  $("progress").value = share;
  $("summary").textContent = summary;
}

async function watch(groupId) {
  const { signal } = watching;
  const finished = new AbortController();
  showNotice(AbortSignal.any([signal, finished.signal]));
  try {
    for await (const group of follow(groupId, signal)) {
      if (group) showGroup(groupId, group);
      else $("summary").textContent = "Can't reach the server. Retrying …";
    }
  } catch (error) {
    throw error instanceof ApiError && error.status === 404 ? new Error(expiredText()) : error;
  } finally {
    finished.abort();
    $("waiting").hidden = true;
  }
}

function showGroup(groupId, group) {
  gallery.show(group.images);
  const failed = group.failed ? `, ${group.failed} failed` : "";
  progress(group.status, `${group.completed} of ${group.total} done${failed}`);
  if (group.finished_at && group.completed) {
    $("archive").href = address(`archive/${groupId}`);
    $("archive").hidden = false;
  }
}

/** Shows a notice for as long as no worker is running. */
async function showNotice(signal) {
  try {
    for (;;) {
      const sentence = await notice(signal);
      if (signal.aborted) return;
      $("waiting").textContent = sentence ?? "";
      $("waiting").hidden = !sentence;
      await pause(NOTICE_INTERVAL, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function expiredText() {
  return `Batch not found. It may have expired: batches are kept for ${$("batch").dataset.keptFor}.`;
}

/** Shows the batch that the address names, or only the form. */
async function open() {
  const groupId = location.hash.slice(1);
  showError(null);
  hideBatch();
  if (!groupId) return;
  if (!/^[0-9a-f]{32}$/.test(groupId)) {
    showError(new Error("This link is incomplete."));
    return;
  }
  show({ summary: "Loading …", plan: history.state?.plan });
  await watch(groupId).catch(fail);
}

function startOver() {
  hideBatch();
  history.pushState(null, "", location.pathname);
  form.reset();
  $("radius-shown").value = $("radius").value;
  showPlan();
  choose([]);
  showError(null);
  $("files").focus();
}

form.addEventListener("submit", submit);
$("files").addEventListener("change", () => choose([...$("files").files]));
$("radius").addEventListener("input", () => { $("radius-shown").value = $("radius").value; });
form.addEventListener("input", ({ target }) => {
  const step = target.closest("fieldset")?.querySelector("legend input");
  if (step && step !== target) step.checked = true; // filling in a step selects it
  showPlan();
});
$("again").addEventListener("click", startOver);
addEventListener("popstate", open);

const drop = $("drop");
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  choose([...event.dataTransfer.files]);
});

showPlan();
open();
