import { expect, test } from '@jest/globals';
import { companyEntries, EVERYWHERE, groupsOf, LEVELS, parentOf, PEOPLE, teamsOf } from './company.mjs';

const ways = { person: (name) => ({ name }), group: (name, members) => ({ group: name, members }), personDn: (name) => name, groupDn: (name) => name };

test('there are two thousand groups, three thousand people, and everybody is in ten teams', () => {
  const entries = companyEntries(ways);
  const groups = entries.filter(({ group }) => group !== undefined);
  expect(groups).toHaveLength(2000);
  expect(entries.filter(({ name }) => name !== undefined)).toHaveLength(PEOPLE + EVERYWHERE);
  for (const person of [0, 1, 1599, 2999]) expect(new Set(teamsOf(person)).size).toBe(10);
  expect(groups.filter(({ members }) => new Set(members).size !== members.length)).toEqual([]);
});

test('groups are nested five deep, with a cycle', () => {
  expect(LEVELS).toHaveLength(5);
  expect(parentOf(4, 0)).toEqual([1, 0]);
  const names = [...groupsOf(0)];
  for (let level = 1; level <= 5; level++) expect(names.some((name) => name.startsWith(`level${level}-`))).toBe(true);
  expect(names.length).toBe(41);
});
