import { expect, test } from '@jest/globals';
import { isRobotName, loginName, robotNameOf } from './robot-name.js';

test.each([
  ['robot$', 'robot$ci', { project: undefined, name: 'ci' }],
  ['robot$', 'robot$library+ci', { project: 'library', name: 'ci' }],
  ['robot+', 'robot+library+ci', { project: 'library', name: 'ci' }],
  ['bot-', 'bot-a.b_c-d', { project: undefined, name: 'a.b_c-d' }],
])('with the prefix %s, %s is a login name', (prefix, login, name) => {
  expect(robotNameOf(prefix, login)).toEqual(name);
  expect(loginName(prefix, name)).toBe(login);
});

test.each(['ci', 'robot$', 'robot$+ci', 'robot$library+', 'robot$a+b+c', 'robot$CI', 'ROBOT$ci', 'robot$ci ', 'robot$../x', "robot$a'--", ' robot$ci', 'robot$ci\0'])(
  '%j is nobody’s', (login) => {
    expect(robotNameOf('robot$', login)).toBeUndefined();
  });

test('names', () => {
  expect(isRobotName('a'.repeat(255))).toBe(true);
  for (const wrong of ['', 'a'.repeat(256), 'A', 'a+b', 'a--b', '-a', 'a b', 'a\n']) expect(isRobotName(wrong)).toBe(false);
});
