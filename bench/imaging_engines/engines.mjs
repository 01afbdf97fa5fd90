// Runs one engine, `sharp` or `ipx`: reads jobs from standard input, writes CPU times to standard output.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import sharp from "sharp";

const QUALITY = 90;
const LONG = 500;

sharp.cache(false);
sharp.concurrency(1);

function sharpJobs() {
  const encoded = (image) => image.jpeg({ quality: QUALITY }).toBuffer();
  return {
    plain: (source) => encoded(sharp(source)),
    blur: (source, sigma) => encoded(sharp(source).blur(sigma)),
    thumbnail: (source, width) => encoded(sharp(source).resize({ width })),
  };
}

async function ipxJobs() {
  const { createIPX } = await import("ipx");
  let current;
  const storage = { name: "memory", getMeta: () => ({}), getData: () => current };
  const ipx = createIPX({ storage });
  const worked = (source, modifiers) => {
    current = source;
    return ipx("photograph.jpg", { format: "jpeg", quality: String(QUALITY), ...modifiers }).process();
  };
  return {
    plain: (source) => worked(source, {}),
    blur: (source, sigma) => worked(source, { blur: String(sigma) }),
    thumbnail: (source, width) => worked(source, { width: String(width) }),
  };
}

async function lowestTime(work, source, value, rounds) {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage();
    await work(source, value);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
    if (best > LONG) break;
  }
  return best;
}

const jobs = process.argv[2] === "ipx" ? await ipxJobs() : sharpJobs();
for await (const line of createInterface({ input: process.stdin })) {
  const { path, job, value, rounds } = JSON.parse(line);
  const work = jobs[job];
  console.log(JSON.stringify(work ? await lowestTime(work, readFileSync(path), value, rounds) : null));
}
