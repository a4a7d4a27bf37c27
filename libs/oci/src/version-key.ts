const WORD = '0';
const VERSION = '1';
const DATE = '2';

/** What follows a version's numbers, in the order in which it sorts. A further number is the greatest. */
const BEFORE = '1';
const NOTHING = '2';
const AFTER = '3';
const FURTHER = '4';

const NUMBER = '2';
const TEXT = '3';
/** Sorts before every character that a tag may have. */
const TEXT_END = ' ';

const LONGEST = 300;
const DATE_PREFIX = /^[12]\d{3}(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)|-(?:0[1-9]|1[0-2])(?!\d))/;
/** Without a hyphen before them these, too, name something that comes before the release: "3.9b1", "1.2rc1". */
const PRE_RELEASE = /^(?:alpha|beta|rc|cr|pre|preview|dev|snapshot|milestone|a|b|m)(?![a-z])/i;

/**
 * A text whose byte order is the order of the versions that tags name: "1.10" after "1.9", "2.0.0-rc1" before "2.0.0"
 * (Semantic Versioning 2.0.0, section 11), "v1.2" like "1.2", with "_" in the place of "+" after the release. Words come
 * first and dates ("20240131", "2024-01-31") last, both in byte order. Tags that mean the same have the same key. The
 * key has at most 300 ASCII characters and is made in linear time.
 */
export function versionKey(tag: string): string {
  if (DATE_PREFIX.test(tag)) return `${DATE}${tag}`.slice(0, LONGEST);
  const start = tag[0] === 'v' || tag[0] === 'V' ? 1 : 0;
  if (!isDigit(tag[start])) return `${WORD}${tag}`.slice(0, LONGEST);
  const { numbers, end } = releaseOf(tag, start);
  return `${VERSION}${numbers.map(numberKey).join(FURTHER)}${suffixKey(tag.slice(end))}`.slice(0, LONGEST);
}

/** The numbers between dots at `start`, without zeros at the end: "1.0" and "1.0.0" are the same release. */
function releaseOf(tag: string, start: number): { readonly numbers: string[]; readonly end: number } {
  const numbers: string[] = [];
  let end = start;
  for (;;) {
    const from = end;
    while (isDigit(tag[end])) end += 1;
    numbers.push(tag.slice(from, end));
    if (tag[end] !== '.' || !isDigit(tag[end + 1])) break;
    end += 1;
  }
  while (numbers.length > 1 && /^0+$/.test(numbers.at(-1) ?? '')) numbers.pop();
  return { numbers, end };
}

function suffixKey(suffix: string): string {
  if (suffix === '') return NOTHING;
  const before = suffix[0] === '-' || PRE_RELEASE.test(suffix[0] === '.' ? suffix.slice(1) : suffix);
  const runs = suffix.match(/\d+|[A-Za-z]+/g) ?? [];
  return `${before ? BEFORE : AFTER}${runs.map((run) => (isDigit(run[0]) ? `${NUMBER}${numberKey(run)}` : `${TEXT}${run}${TEXT_END}`)).join('')}`;
}

/** Digits behind their count, so that byte order is numeric order. A tag has fewer than 1296 characters. */
function numberKey(digits: string): string {
  const significant = digits.replace(/^0+(?=\d)/, '');
  return `${significant.length.toString(36).padStart(2, '0')}${significant}`;
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}
