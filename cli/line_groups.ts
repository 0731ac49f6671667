/**
 * Lines as they come, in groups of those that are there.
 *
 * @module
 */

/** A line and its number, from 1. */
export interface NumberedLine {
  /** What it says. */
  readonly text: string;
  /** Which line it is. */
  readonly line: number;
}

/**
 * Groups of the lines that have come while the last group was worked on, at most
 * `most` of them: whoever waits for one line gets it at once, and a whole file is
 * worked on together.
 */
export async function* lineGroups(
  lines: AsyncIterable<string>,
  most: number,
): AsyncGenerator<readonly NumberedLine[]> {
  const waiting: NumberedLine[] = [];
  let ended = false;
  let news = Promise.withResolvers<void>();
  const room = { wanted: Promise.withResolvers<void>() };
  const reading = (async () => {
    let line = 0;
    try {
      for await (const text of lines) {
        waiting.push({ text, line: ++line });
        news.resolve();
        if (waiting.length < most) continue;
        room.wanted = Promise.withResolvers();
        await room.wanted.promise;
      }
    } finally {
      ended = true;
      news.resolve();
    }
  })();
  reading.catch(() => {}); // it is thrown below
  while (true) {
    await news.promise;
    news = Promise.withResolvers();
    const group = waiting.splice(0, most);
    room.wanted.resolve();
    if (group.length > 0) yield group;
    if (ended && waiting.length === 0) break;
    if (waiting.length > 0 || ended) news.resolve();
  }
  await reading;
}
