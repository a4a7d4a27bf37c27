import { CronExpressionParser } from 'cron-parser';

const LONGEST = 255;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** February with its leap day. */
const DAYS_OF_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'second', least: 0, most: 59 },
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, words: MONTHS },
  { name: 'day of the week', least: 0, most: 6, words: WEEKDAYS },
];

/**
 * What is wrong with a schedule, as a sentence; undefined when it is fine. A schedule has six fields: second, which must
 * be 0, minute, hour, day of the month, month and day of the week (0 is Sunday), in UTC. A field is `*` or `?`, or a list
 * of numbers, ranges `a-b` and steps `a-b/n`; months and weekdays may be given by their three-letter names.
 */
export function cronFault(cron: string): string | undefined {
  if (cron.length > LONGEST) return `a schedule has at most ${LONGEST} characters`;
  const fields = cron.split(' ');
  if (fields.length !== FIELDS.length) return 'a schedule has six fields, separated by single spaces: second minute hour day month weekday, such as "0 0 2 * * *"';
  if (fields[0] !== '0') return 'the first field of a schedule, its second, must be 0';
  const wrong = FIELDS.find((field, index) => !isField(fields[index] ?? '', field));
  if (wrong !== undefined) return `the ${wrong.name} of the schedule must be *, or numbers from ${wrong.least} to ${wrong.most}, ranges and steps of them`;
  return everComes(fields) ? undefined : 'the schedule names no day that ever comes';
}

/** The next `count` times of a schedule without a fault, after `after`. */
export function nextTimes(cron: string, count: number, after: Date): Date[] {
  const expression = CronExpressionParser.parse(cron.replaceAll('?', '*'), { currentDate: after, tz: 'UTC' });
  return expression.take(count).map((time) => time.toDate());
}

/** The 31st of April never comes. A weekday does in any month, and makes the day of the month an alternative. */
function everComes([, , , day = '', month = '', weekday = '']: readonly string[]): boolean {
  if (!isAny(weekday)) return true;
  return DAYS_OF_MONTHS.some((days, index) => holds(month, 4, index + 1) && Array.from({ length: days }, (_, before) => before + 1).some((number) => holds(day, 3, number)));
}

/** Whether a field without a fault names this number. */
function holds(text: string, index: number, wanted: number): boolean {
  const field = FIELDS[index];
  if (field === undefined) return false;
  return text.split(',').some((part) => {
    const [range = '', step] = part.split('/');
    const [from, to] = isAny(range) ? [field.least, field.most] : range.split('-').map((end) => valueOf(end, field) ?? 0);
    const first = from ?? 0;
    const last = to ?? (step === undefined ? first : field.most);
    return wanted >= first && wanted <= last && (wanted - first) % Number(step ?? 1) === 0;
  });
}

function isAny(text: string): boolean {
  return text === '*' || text === '?';
}

function isField(text: string, field: Field): boolean {
  return text.split(',').every((part) => isPart(part, field));
}

function isPart(part: string, field: Field): boolean {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0 || (step !== undefined && !isBetween(step, 1, field.most))) return false;
  if (isAny(range)) return true;
  const ends = range.split('-').map((end) => valueOf(end, field));
  const [from = -1, to = from] = ends;
  return ends.length <= 2 && !ends.includes(undefined) && from <= to;
}

function valueOf(text: string, { least, most, words = [] }: Field): number | undefined {
  const word = words.indexOf(text.toUpperCase());
  if (word >= 0) return word + least;
  return isBetween(text, least, most) ? Number(text) : undefined;
}

function isBetween(text: string, least: number, most: number): boolean {
  return /^\d{1,2}$/.test(text) && Number(text) >= least && Number(text) <= most;
}
