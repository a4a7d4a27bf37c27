/** The middle value; of an even number of values the mean of the two middle ones. */
export function median(values) {
  return percentile(values, 0.5);
}

/** The value below which `share` (0..1) of the values lie, interpolated between neighbours. */
export function percentile(values, share) {
  if (values.length === 0) throw new Error('no values to take a percentile of');
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const low = Math.floor(position);
  const high = Math.ceil(position);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low);
}

/** The median of the ratios of each round, ours to theirs: a machine that slows down half-way slows both and leaves it alone. */
export function pairedRatio(ours, theirs, better) {
  if (ours.length !== theirs.length) throw new Error('a ratio needs the same rounds on both sides');
  return median(ours.map((value, round) => (better === 'more' ? value / theirs[round] : theirs[round] / value)));
}

/** (largest − smallest) / median: how far the rounds lie apart. */
export function spread(values) {
  const middle = median(values);
  return middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / middle;
}

/** The order of peers in a round: rotated, so that nobody always comes after the same neighbour. */
export function rotated(peers, round) {
  const first = round % peers.length;
  return [...peers.slice(first), ...peers.slice(0, first)];
}
