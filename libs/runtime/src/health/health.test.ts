import { describe, expect, test } from '@jest/globals';
import { Health } from './health.js';

const works = () => Promise.resolve();
const fails = () => Promise.reject(new Error('redis://x:hunter2@y refused'));

function running(cacheMs = 0): Health {
  const health = new Health({ cacheMs });
  health.markStarted();
  return health;
}

describe('health', () => {
  test('is ready only between start and stop', async () => {
    const health = new Health();
    expect((await health.report()).status).toBe('starting');
    health.markStarted();
    expect(await health.ready()).toBe(true);
    health.markStopping();
    expect(await health.ready()).toBe(false);
    expect((await health.report()).status).toBe('stopping');
  });

  test('is unavailable when a critical check fails, and tells why without secrets', async () => {
    const health = running();
    health.add('database', fails);
    health.add('redis', works);
    const report = await health.report();
    expect(report).toMatchObject({ status: 'unavailable', checks: { database: { status: 'failed', critical: true }, redis: { status: 'ok' } } });
    expect(report.checks['database']?.message).toBe('redis://[redacted]@y refused');
    expect(await health.ready()).toBe(false);
  });

  test('is degraded, but ready, when only other checks fail', async () => {
    const health = running();
    health.add('redis', fails, { critical: false });
    expect(await health.report()).toMatchObject({ status: 'degraded', checks: { redis: { critical: false } } });
    expect(await health.ready()).toBe(true);
  });

  test('takes a check that hangs or throws at once as failed', async () => {
    const health = running();
    health.add('hangs', () => new Promise(() => undefined), { timeoutMs: 20 });
    health.add('throws', () => { throw new Error('at once'); });
    const { checks } = await health.report();
    expect(checks['hangs']?.message).toBe('no answer within 20 ms');
    expect(checks['throws']?.message).toBe('at once');
  });

  test('keeps answers for a while and never runs a check twice at once', async () => {
    let runs = 0;
    const health = running(60_000);
    health.add('counted', async () => { runs++; });
    await Promise.all([health.report(), health.report()]);
    await health.report();
    expect(runs).toBe(1);
  });

  test('refuses two checks of one name', () => {
    const health = new Health();
    health.add('redis', works);
    expect(() => { health.add('redis', works); }).toThrow('redis');
  });
});
