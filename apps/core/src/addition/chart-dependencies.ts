import { parse } from 'yaml';
import { Problem, type ChartDependency } from '@haven/api';

const MOST = 500;
const LONGEST = 1024;

/** What a chart needs: the dependencies in its Chart.yaml, or in the requirements.yaml of the first chart format. */
export function dependenciesOf(file: Buffer): ChartDependency[] {
  const listed = document(file)?.['dependencies'];
  if (!Array.isArray(listed)) return [];
  return listed.slice(0, MOST).flatMap((entry: unknown) => (isObject(entry) ? [{ name: word(entry['name']), version: word(entry['version']), repository: word(entry['repository']) }] : []));
}

/** Whether a Chart.yaml is of the first format, which keeps its dependencies in a file of their own. */
export function isFirstFormat(file: Buffer): boolean {
  return document(file)?.['apiVersion'] === 'v1';
}

/** @throws Problem BAD_REQUEST for what is no YAML; aliases, which can make a small file endless, are no part of charts */
function document(file: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = parse(file.toString('utf8'), { maxAliasCount: 0, uniqueKeys: false, logLevel: 'error', schema: 'core' });
    return isObject(value) ? value : undefined;
  } catch (error) {
    throw new Problem('BAD_REQUEST', 'the chart says what it depends on in a file that is not valid YAML', { cause: error });
  }
}

function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, LONGEST) : '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
