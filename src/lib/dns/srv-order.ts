/**
 * The order in which SRV records are tried (RFC 2782).
 */

/**
 * Lower priorities first; among equals at random, in proportion to their weights.
 *
 * @param random a number from 0 (inclusive) to 1 (exclusive)
 */
export function orderByPriorityAndWeight<T extends { priority: number; weight: number }>(
  records: readonly T[],
  random: () => number = Math.random,
): T[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  return priorities.flatMap((priority) =>
    drawByWeight(
      records.filter((record) => record.priority === priority),
      random,
    ),
  );
}

function drawByWeight<T extends { weight: number }>(records: readonly T[], random: () => number): T[] {
  // Weight 0 comes first in the running sum, which leaves it a very small chance of being drawn early.
  const left = [...records].sort((a, b) => Number(a.weight > 0) - Number(b.weight > 0));
  const drawn: T[] = [];
  while (left.length > 0) {
    const sum = left.reduce((total, { weight }) => total + weight, 0);
    const mark = Math.floor(random() * (sum + 1));
    let running = 0;
    const index = left.findIndex(({ weight }) => (running += weight) >= mark);
    drawn.push(...left.splice(Math.max(index, 0), 1));
  }
  return drawn;
}
