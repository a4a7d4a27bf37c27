/** Lines of a table whose columns are as wide as their widest cell; the first column is aligned left, figures right. */
export function formatTable(header, rows, { left = [0] } = {}) {
  const widths = header.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column].length)));
  const line = (cells) => cells.map((cell, column) => (left.includes(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd();
  return [line(header), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)];
}

/** Three significant digits, no exponent, thousands apart. */
export function figure(value) {
  if (value === undefined) return '–';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A ratio such as "5.20×". */
export function ratio(value) {
  return value === undefined ? '–' : `${figure(value)}×`;
}

/** Bytes as MiB. */
export function mebibytes(bytes) {
  return bytes === undefined ? '–' : figure(bytes / (1024 * 1024));
}
