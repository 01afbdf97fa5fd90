// A card for each image of a batch.

const STATE_LABELS = { queued: "waiting", processing: "processing", succeeded: "done", failed: "failed", cancelled: "cancelled" };

export class Gallery {
  #list;
  #template;
  #cards = new Map();
  #previews = [];

  constructor(list, template) {
    this.#list = list;
    this.#template = template;
  }

  /** Removes all cards. `files` are the originals to preview, if this page uploaded them. */
  reset(files = []) {
    for (const { preview } of this.#cards.values()) if (preview) URL.revokeObjectURL(preview);
    this.#cards.clear();
    this.#list.replaceChildren();
    this.#previews = [...files];
  }

  /** Updates the cards to the current state of the images. */
  show(images) {
    for (const image of images) this.#update(this.#cards.get(image.index) ?? this.#add(image), image);
  }

  #add(image) {
    const element = this.#template.content.firstElementChild.cloneNode(true);
    const file = this.#previews[image.index];
    const card = { element, preview: file ? URL.createObjectURL(file) : null };
    element.querySelector(".name").textContent = image.name;
    if (card.preview) showImage(element, card.preview, "");
    this.#list.append(element);
    this.#cards.set(image.index, card);
    return card;
  }

  #update(card, image) {
    const { element } = card;
    if (element.dataset.state === image.state) return;
    element.dataset.state = image.state;
    element.querySelector(".state").textContent = statusText(image);
    if (!image.url) return;
    showImage(element, image.url, `Result of ${image.name}`);
    const link = element.querySelector(".get");
    link.href = image.url;
    link.download = "";
    link.setAttribute("aria-label", `Download the result of ${image.name}`);
    link.hidden = false;
  }
}

function showImage(element, address, description) {
  const shown = element.querySelector("img");
  shown.onerror = () => { shown.hidden = true; }; // a format that this browser cannot display
  shown.onload = () => { shown.hidden = false; };
  shown.hidden = false;
  shown.alt = description;
  shown.src = address;
}

function statusText(image) {
  if (image.error) return image.error;
  const label = STATE_LABELS[image.state] ?? image.state;
  return image.width ? `${label}: ${image.width} × ${image.height}, ${Math.ceil(image.bytes / 1000).toLocaleString()} kB` : label;
}
