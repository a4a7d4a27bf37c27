import type { Case } from './cases.js';

/** G-01: SQL in the order; ignored or refused, never run. */
export const SORTS: readonly string[] = [
  'hard.storage;select pg_sleep(4)', '(case when true then name else id end)', '-name,pg_sleep(4)', 'name desc nulls last', 'password', 'password_hash', 'secret_hash', "name'", 'name"', '1', '-1', 'id;--',
  Array.from({ length: 60 }, () => 'a').join(','), '-', ',', '--name', '%', '\\',
].map((sort) => `sort=${encodeURIComponent(sort)}`);

/** G-06: what the grammar of q does not know; always refused. */
export const BROKEN_QUERIES: readonly Case[] = [
  '=', 'a', 'a=', '=a', 'a=[~]', 'a=[1~', 'a=[1]', 'a={', 'a={}', 'a=(', 'a=()', ',', 'a=b,', 'a=b,,c=d', '%', '%zz', 'a=%00', '\0', Array.from({ length: 500 }, () => 'a=b').join(','), 'a=b'.repeat(1000),
  `a={${Array.from({ length: 500 }, () => '1').join(' ')}}`,
].map((q) => ({ name: `q: ${q.slice(0, 30)}`, refusals: [400, 422], query: `q=${encodeURIComponent(q)}` }));

/** Values of every form that a key may be asked for; whatever the key is, the answer is a page or a refusal. */
export const VALUES: readonly string[] = [
  'x', '~x', '~', '1', '-1', '1.5', '99999999999999999999', '[1~2]', '[x~y]', '[2020-01-01T00:00:00~]', '[~2020-13-45T99:99:99]', '{1 2}', '{a b}', '{99999999999999999999}', '(a b)', '(1 2)', '2020-01-01T00:00:00',
  "'", '"', "' OR '1'='1", '~%27%29%3B--', 'null', 'nil', '*', 'true', '\\~x', '[\'a\'~"b"]', 'NaN', 'Infinity', '[9223372036854775807~9223372036854775808]',
];
