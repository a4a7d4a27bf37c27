import { expect, test } from '@jest/globals';
import { selfTimes, summarise, timesByOrigin } from './summary.mjs';

const frame = (functionName, url = '') => ({ functionName, url, lineNumber: 9 });
// (root) → handle (our code) → write (native); (root) → query (a package); (idle)
const profile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 4, 5] },
    { id: 2, callFrame: frame('handle', 'file:///srv/apps/proxy/dist/server/server.js'), children: [3] },
    { id: 3, callFrame: frame('write') },
    { id: 4, callFrame: frame('query', 'file:///srv/node_modules/pg/lib/client.js') },
    { id: 5, callFrame: frame('(idle)') },
  ],
  samples: [2, 3, 3, 4, 5],
  timeDeltas: [1000, 1000, 1000, 2000, 5000],
};

test('self time is summed by function', () => {
  expect(selfTimes(profile).map(({ name, milliseconds }) => [name, milliseconds])).toEqual([
    ['(idle)', 5], ['write', 2], ['query  node_modules/pg/lib/client.js:10', 2], ['handle  proxy/dist/server/server.js:10', 1],
  ]);
});

test('native code counts for its caller', () => {
  expect(timesByOrigin(profile).map(({ name, milliseconds }) => [name, milliseconds])).toEqual([['(idle)', 5], ['apps/proxy/dist/server', 3], ['pg', 2]]);
});

test('shares leave idle time out', () => {
  expect(summarise(profile)).toMatch(/^busy 50 % of 10 ms\n +40\.0 % +2 ms {2}write\n/);
});
