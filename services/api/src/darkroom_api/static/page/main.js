// The page: photographs in, a batch that can be watched, photographs out.

import { Refusal, follow, send } from "./api.js";
import { Gallery } from "./gallery.js";
import { operations } from "./order.js";

const $ = (id) => document.getElementById(id);
const form = $("order");
const gallery = new Gallery($("gallery"), $("card"));
let chosen = [];
let watching = new AbortController();

function choose(files) {
  const limit = Number(form.dataset.maxBytes);
  const large = files.filter((file) => file.size > limit);
  chosen = files.slice(0, Number(form.dataset.maxImages));
  const size = chosen.reduce((sum, file) => sum + file.size, 0);
  const many = chosen.length === 1 ? "One photograph" : `${chosen.length} photographs`;
  const left = files.length > chosen.length ? ` ${files.length - chosen.length} more were left out.` : "";
  const heavy = large.length ? ` ${large.length} of them are too large and will fail.` : "";
  $("chosen").textContent = chosen.length ? `${many}, ${(size / 1e6).toFixed(1)} MB.${left}${heavy}` : "";
  $("send").disabled = !chosen.length;
}

function complain(error) {
  $("notice").textContent = error ? error.message : "";
  $("notice").hidden = !error;
}

async function submit(event) {
  event.preventDefault();
  complain(null);
  $("send").disabled = true;
  try {
    const wanted = operations(form);
    show({ files: chosen, summary: "Sending …" });
    const receipt = await send(chosen, wanted, $("key").value, (share) => progress(share, "Sending …"));
    history.pushState(null, "", `#${receipt.group_id}`);
    await watch(receipt.group_id);
  } catch (error) {
    fail(error);
  } finally {
    $("send").disabled = !chosen.length;
  }
}

function fail(error) {
  if (error.name === "AbortError") return;
  if (error instanceof Refusal && error.status === 401) {
    $("key-row").hidden = false;
    $("key").focus();
  }
  if (!location.hash) $("batch").hidden = true;
  complain(error);
}

function show({ files = [], summary }) {
  watching.abort();
  watching = new AbortController();
  gallery.reset(files);
  $("archive").hidden = true;
  $("batch").hidden = false;
  progress(0, summary);
}

function progress(share, summary) {
  $("progress").value = share;
  $("summary").textContent = summary;
}

async function watch(groupId) {
  for await (const group of follow(groupId, watching.signal)) {
    gallery.show(group.images);
    const failed = group.failed ? `, ${group.failed} failed` : "";
    progress(group.status, `${group.completed} of ${group.total} done${failed}`);
    if (group.finished_at && group.completed) {
      $("archive").href = `/archive/${groupId}`;
      $("archive").hidden = false;
    }
  }
}

async function open() {
  const groupId = location.hash.slice(1);
  if (!/^[0-9a-f]{32}$/.test(groupId)) return;
  complain(null);
  show({ summary: "Looking …" });
  await watch(groupId).catch(fail);
}

function startOver() {
  watching.abort();
  history.pushState(null, "", location.pathname);
  $("batch").hidden = true;
  form.reset();
  $("radius-shown").value = $("radius").value;
  choose([]);
  complain(null);
  $("files").focus();
}

form.addEventListener("submit", submit);
$("files").addEventListener("change", () => choose([...$("files").files]));
$("radius").addEventListener("input", () => { $("radius-shown").value = $("radius").value; });
form.addEventListener("input", ({ target }) => {
  const step = target.closest("fieldset")?.querySelector("legend input");
  if (step && step !== target) step.checked = true; // whoever fills a step in wants it
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

open();
