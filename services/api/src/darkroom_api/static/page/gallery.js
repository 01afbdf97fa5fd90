// A card for each image of a batch.

const WORDS = { queued: "waiting", processing: "processing", succeeded: "done", failed: "failed", cancelled: "cancelled" };

export class Gallery {
  #list;
  #template;
  #cards = new Map();
  #previews = [];

  constructor(list, template) {
    this.#list = list;
    this.#template = template;
  }

  /** Forgets every card. `files` are the ones that were sent, where this page sent them. */
  reset(files = []) {
    for (const { preview } of this.#cards.values()) if (preview) URL.revokeObjectURL(preview);
    this.#cards.clear();
    this.#list.replaceChildren();
    this.#previews = [...files];
  }

  /** Shows the images as they stand. */
  show(images) {
    for (const image of images) this.#update(this.#cards.get(image.index) ?? this.#add(image), image);
  }

  #add(image) {
    const element = this.#template.content.firstElementChild.cloneNode(true);
    const file = this.#previews[image.index];
    const card = { element, preview: file ? URL.createObjectURL(file) : null };
    element.querySelector(".name").textContent = image.name;
    if (card.preview) picture(element, card.preview, "");
    this.#list.append(element);
    this.#cards.set(image.index, card);
    return card;
  }

  #update(card, image) {
    const { element } = card;
    if (element.dataset.state === image.state) return;
    element.dataset.state = image.state;
    element.querySelector(".state").textContent = describe(image);
    if (!image.url) return;
    picture(element, image.url, `Result of ${image.name}`);
    const link = element.querySelector(".get");
    link.href = image.url;
    link.download = "";
    link.setAttribute("aria-label", `Download the result of ${image.name}`);
    link.hidden = false;
  }
}

function picture(element, address, description) {
  const shown = element.querySelector("img");
  shown.onerror = () => { shown.hidden = true; }; // a format that this browser does not show
  shown.onload = () => { shown.hidden = false; };
  shown.hidden = false;
  shown.alt = description;
  shown.src = address;
}

function describe(image) {
  if (image.error) return image.error;
  const word = WORDS[image.state] ?? image.state;
  return image.width ? `${word}: ${image.width} × ${image.height}, ${Math.ceil(image.bytes / 1000).toLocaleString()} kB` : word;
}
