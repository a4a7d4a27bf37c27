import { expect, test } from '@jest/globals';
import { AccessEpochs } from './access-epochs.js';
import type { RegistryTokenClaims } from './token/claims.js';

const NOW = 1_800_000_000;

function claims(changes: Partial<RegistryTokenClaims> = {}): RegistryTokenClaims {
  return { subject: 'user:3', name: 'dave', access: [{ type: 'repository', name: 'a/b', actions: ['pull'], project: 5 }], issuedAt: NOW, expiresAt: NOW + 1800, id: 'x', ...changes };
}

function at(seconds: number): Date {
  return new Date(seconds * 1000);
}

test('without epochs nothing is revoked', () => {
  expect(new AccessEpochs().isRevoked(claims())).toBe(false);
});

test('a subject\'s epoch ends its older tokens only', () => {
  const epochs = new AccessEpochs();
  epochs.raise('user:3', at(NOW + 1));
  expect(epochs.isRevoked(claims())).toBe(true);
  expect(epochs.isRevoked(claims({ issuedAt: NOW + 1 }))).toBe(false);
  expect(epochs.isRevoked(claims({ subject: 'user:33' }))).toBe(false);
  expect(epochs.isRevoked(claims({ subject: 'robot:3' }))).toBe(false);
  expect(epochs.isRevoked(claims({ subject: '' }))).toBe(false);
});

test('a project\'s epoch ends every older token that names it', () => {
  const epochs = new AccessEpochs();
  epochs.raise('project:5', at(NOW + 1));
  expect(epochs.isRevoked(claims({ subject: '' }))).toBe(true);
  expect(epochs.isRevoked(claims({ access: [{ type: 'repository', name: 'c/d', actions: [], project: 6 }] }))).toBe(false);
  expect(epochs.isRevoked(claims({ access: [{ type: 'registry', name: 'catalog', actions: ['*'] }] }))).toBe(false);
});

test('milliseconds tell a token from a revocation in the same second', () => {
  const epochs = new AccessEpochs();
  epochs.raise('user:3', at(NOW + 0.5));
  expect(epochs.isRevoked(claims({ issuedAt: NOW + 0.499 }))).toBe(true);
  expect(epochs.isRevoked(claims({ issuedAt: NOW + 0.5 }))).toBe(false);
});

test('no millisecond is lost on the way through seconds', () => {
  const epochs = new AccessEpochs();
  for (let millisecond = 0; millisecond < 1000; millisecond++) {
    const time = NOW * 1000 + millisecond;
    epochs.raise('user:3', new Date(time));
    expect(epochs.isRevoked(claims({ issuedAt: time / 1000 }))).toBe(false);
    expect(epochs.isRevoked(claims({ issuedAt: (time - 1) / 1000 }))).toBe(true);
  }
});

test('an epoch never moves back', () => {
  const epochs = new AccessEpochs();
  epochs.raise('user:3', at(NOW + 10));
  epochs.raise('user:3', at(NOW - 10));
  expect(epochs.isRevoked(claims())).toBe(true);
});

test('what is no time is refused rather than forgotten', () => {
  expect(() => new AccessEpochs().raise('user:3', new Date('x'))).toThrow(RangeError);
});

test('old epochs are forgotten when no token of their time can live', () => {
  const epochs = new AccessEpochs();
  epochs.raise('user:3', at(NOW));
  epochs.raise('user:4', at(NOW - 3 * 86_400));
  expect(epochs.prune(at(NOW))).toBe(1);
  expect(epochs.isRevoked(claims({ issuedAt: NOW - 1 }))).toBe(true);
});
