import { expect, test } from '@jest/globals';
import { ONLY_WHEN_NAMED, PEER_NAMES, parseOptions, UsageError, WORKLOAD_NAMES } from './options.mjs';

const STANDARD = WORKLOAD_NAMES.filter((name) => !ONLY_WHEN_NAMED.includes(name));

test('everything runs five rounds unless told otherwise', () => {
  expect(parseOptions([])).toMatchObject({ workloads: STANDARD, peers: PEER_NAMES, rounds: 5, quick: false, build: true, profile: undefined });
});

test('a short run may still choose its rounds', () => {
  expect(parseOptions(['--quick']).rounds).toBe(3);
  expect(parseOptions(['--quick', '--rounds', '7']).rounds).toBe(7);
});

test('names may be given together or one by one and keep the order of the run', () => {
  expect(parseOptions(['--only', 'tags,pull']).workloads).toEqual(['pull', 'tags']);
  expect(parseOptions(['--only', 'tags', '--only', 'pull']).workloads).toEqual(['pull', 'tags']);
});

test('the race takes an hour, and is run only when it is named', () => {
  expect(parseOptions([]).workloads).not.toContain('race');
  expect(parseOptions(['--only', 'race'])).toMatchObject({ workloads: ['race'], raceMinutes: 60 });
  expect(parseOptions(['--only', 'race', '--minutes', '5']).raceMinutes).toBe(5);
});

test('garbage is collected among a million blobs, and only when that is named', () => {
  expect(parseOptions([]).workloads).not.toContain('garbage');
  expect(parseOptions(['--only', 'garbage'])).toMatchObject({ workloads: ['garbage'], garbageBlobs: 1_000_000 });
  expect(parseOptions(['--only', 'garbage', '--blobs', '50000']).garbageBlobs).toBe(50_000);
});

test.each([[['--only', 'speed'], 'manifest'], [['--rounds', '0'], '1 to 50'], [['--rounds', 'many'], '1 to 50'], [['--minutes', '0'], '1 to 1440'], [['--blobs', '10'], '20000'], [['--profile', 'redis'], 'registry'], [['--fast'], '--quick'], [['--only', 'tags,garbage', '--peers', 'nginx'], 'garbage measures haven'], [['--only', 'lists', '--peers', 'distribution'], 'lists measures haven']])(
  '%j is refused with a sentence that says what to write', (argv, hint) => {
    expect(() => parseOptions(argv)).toThrow(UsageError);
    expect(() => parseOptions(argv)).toThrow(hint);
  });
