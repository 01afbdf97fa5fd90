// The form's selected operations, as JSON and as a sentence.

/** Returns the selected operations, in the order in which they are applied. */
export function operations(form) {
  const fields = form.elements;
  const list = [];
  if (fields.resize.checked) list.push(resize(fields));
  if (fields.blur.checked) list.push({ op: "blur", radius: Number(fields.radius.value) });
  if (fields.convert.checked) {
    list.push({ op: "convert", format: fields.format.value, ...filledIn({ quality: fields.quality }) });
  }
  return list;
}

const FIT_LABELS = { inside: "resized to fit", cover: "resized to fill", fill: "stretched to" };

/** Returns a sentence that says what the operations do. */
export function operationsText(list) {
  const steps = list.map((step) => {
    if (step.op === "blur") return `blurred with a radius of ${step.radius} px`;
    if (step.op === "resize") return `${FIT_LABELS[step.fit]} ${size(step)}`;
    return `converted to ${step.format.toUpperCase()}${step.quality ? ` at quality ${step.quality}` : ""}`;
  });
  const always = "turned upright, stripped of metadata and re-encoded";
  if (!steps.length) return `No step selected: photographs are only ${always}.`;
  return `Photographs are ${steps.join(", then ")}, and always ${always}.`;
}

function size({ width, height }) {
  if (width && height) return `${width} × ${height} px`;
  return width ? `a width of ${width} px` : `a height of ${height} px`;
}

function resize(fields) {
  const size = filledIn({ width: fields.width, height: fields.height });
  if (!Object.keys(size).length) throw new Error("Resize needs a width, a height, or both.");
  return { op: "resize", fit: fields.fit.value, ...size };
}

function filledIn(inputs) {
  const filled = Object.entries(inputs).filter(([, input]) => input.value !== "");
  for (const [name, input] of filled) {
    if (!input.checkValidity()) throw new Error(`${name}: ${input.validationMessage}`);
  }
  return Object.fromEntries(filled.map(([name, input]) => [name, Number(input.value)]));
}
