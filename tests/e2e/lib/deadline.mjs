// Waiting with a deadline: the only ways in which these tests let time pass.
//
// Every deadline is multiplied when LIMPET_SLOW=1 (sanitizer builds, loaded machines), so that a test states
// what it expects of a release build.

export const slowness = process.env.LIMPET_SLOW === '1' ? 5 : 1;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks `condition` again and again until it gives something truthy, which is returned. An exception counts as
// "not yet"; the last one is told if the deadline passes.
export async function until(condition, ms, what = String(condition)) {
  const end = performance.now() + ms * slowness;
  let last;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`not within ${ms * slowness} ms: ${what}`, { cause: last });
    await pause(10);
  }
}

// What `promise` gives, or an error once the deadline passes.
export async function within(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms * slowness} ms: ${what}`)), ms * slowness);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// Watches that `condition` holds without a break for a while: for facts of the form "nothing happens".
export async function holds(condition, ms, what = String(condition)) {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (!(await condition())) throw new Error(`did not hold for ${ms} ms: ${what}`);
    await pause(10);
  }
}
