// A company of three thousand people and two thousand groups, as LDIF and as what follows from it.

export const PEOPLE = 3000;
/** Groups of each level. A group is in one of the next level; the only one of the last is in one of the second: a cycle. */
export const LEVELS = [1600, 300, 80, 19, 1];
const TEAMS_OF_A_PERSON = 10;
/** People who are in every group themselves. */
export const EVERYWHERE = 100;

export const personName = (index) => `person${index}`;
export const everywhereName = (index) => `everywhere${index}`;
const groupName = (level, index) => `level${level + 1}-${index}`;

/** Teams that a person is in: spread so that each team has about as many people. */
export function teamsOf(person) {
  return Array.from({ length: TEAMS_OF_A_PERSON }, (_, team) => (person * 7 + team * 163) % LEVELS[0]);
}

/** The group that a group is in; undefined for none. */
export function parentOf(level, index) {
  return level + 1 < LEVELS.length ? [level + 1, index % LEVELS[level + 1]] : [1, 0];
}

/** Names of all groups that a person is in, directly or through others. */
export function groupsOf(person) {
  const found = new Set();
  const waiting = teamsOf(person).map((team) => [0, team]);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const name = groupName(...next);
    if (found.has(name)) continue;
    found.add(name);
    waiting.push(parentOf(...next));
  }
  return found;
}

/** All entries: `make` has the functions that write a person and a group. */
export function companyEntries({ person, group, personDn, groupDn }) {
  const members = new Map(LEVELS.flatMap((count, level) => Array.from({ length: count }, (_, index) => [groupName(level, index), []])));
  const everywhere = Array.from({ length: EVERYWHERE }, (_, index) => everywhereName(index));
  for (const list of members.values()) list.push(...everywhere.map((name) => personDn(name)));
  for (let index = 0; index < PEOPLE; index++) for (const team of teamsOf(index)) members.get(groupName(0, team)).push(personDn(personName(index)));
  LEVELS.forEach((count, level) => {
    for (let index = 0; index < count; index++) members.get(groupName(...parentOf(level, index))).push(groupDn(groupName(level, index)));
  });
  const names = [...Array.from({ length: PEOPLE }, (_, index) => personName(index)), ...everywhere];
  return [...names.map((name) => person(name)), ...[...members].map(([name, list]) => group(name, list))];
}
