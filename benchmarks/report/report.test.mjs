import { describe, expect, test } from '@jest/globals';
import { cpuTable, evaluate, memoryTable, speedTable, verdictText } from './report.mjs';
import { figure, formatTable, mebibytes } from './table.mjs';

const pull = { key: 'rate', title: 'pull', unit: 'MiB/s', better: 'more', targets: [{ than: 'distribution', ratio: 0.6 }, { than: 'nginx', ratio: 2.5 }] };

describe('evaluating a line', () => {
  test('ratios are judged against each peer apart', () => {
    const { ratios, verdicts, medians } = evaluate({ metric: pull, samples: { haven: [70, 80, 90], distribution: [100, 100, 100], nginx: [40, 40, 40] } });
    expect(medians.haven).toBe(80);
    expect(ratios).toEqual({ distribution: 0.8, nginx: 2 });
    expect(verdictText(verdicts)).toBe('≥ 0.6× direct met, ≥ 2.5× nginx MISSED');
  });
  test('a ratio exactly at the target is met', () => {
    const { verdicts } = evaluate({ metric: pull, samples: { haven: [60], distribution: [100], nginx: [24] } });
    expect(verdicts.map(({ met }) => met)).toEqual([true, true]);
  });
  test('a target whose peer did not run is neither met nor missed', () => {
    const { verdicts } = evaluate({ metric: pull, samples: { haven: [60] } });
    expect(verdictText(verdicts)).toBe('≥ 0.6× direct not measured, ≥ 2.5× nginx not measured');
  });
  test('absolute targets look at our own median', () => {
    const rate = { ...pull, targets: [{ atLeast: 100 }] };
    const time = { ...pull, better: 'less', targets: [{ atMost: 20 }] };
    expect(evaluate({ metric: rate, samples: { haven: [99] } }).verdicts[0].met).toBe(false);
    expect(evaluate({ metric: time, samples: { haven: [20] } }).verdicts[0].met).toBe(true);
    expect(evaluate({ metric: time, samples: { haven: [20.1] } }).verdicts[0].met).toBe(false);
  });
});

describe('tables', () => {
  test('columns line up and a peer that did not run shows a dash', () => {
    const lines = speedTable([evaluate({ metric: pull, samples: { haven: [70], distribution: [100] } })]);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(/^pull {6}MiB\/s +70\.0 +100 +– +0\.70× +– +0 % +≥ 0\.6× direct met/);
  });
  test('cells are padded on the side of their kind', () => {
    expect(formatTable(['name', 'n'], [['a', '100'], ['long name', '5']])).toEqual(['name         n', '─────────  ───', 'a          100', 'long name    5']);
  });
  test('figures keep three digits', () => {
    expect([12_345.6, 56.78, 1.2345, undefined].map(figure)).toEqual(['12,346', '56.8', '1.23', '–']);
    expect(mebibytes(64 * 1024 * 1024)).toBe('64.0');
  });
  test('the limit on growth holds for Haven alone', () => {
    const MIB = 1024 * 1024;
    const lines = memoryTable([
      { peer: 'haven', service: 'proxy', idle: 50 * MIB, after: 90 * MIB, growth: 65 * MIB },
      { peer: 'distribution', service: 'distribution', idle: 20 * MIB, after: 400 * MIB, growth: 300 * MIB },
    ], 64 * MIB, 2048 * MIB);
    expect(lines[2]).toContain('≤ 64 MISSED');
    expect(lines[3]).toMatch(/^\(distribution\).*300$/);
  });
  test('CPU time is the median of the rounds, and idle processes are left out', () => {
    const entry = (round, proxy) => ({ workload: 'pull', peer: 'haven', round, seconds: { proxy, registry: 0.5, core: 0 } });
    expect(cpuTable([entry(0, 1), entry(1, 2), entry(2, 9)])[2]).toMatch(/^pull +haven +2\.50 {2}proxy 2\.00, registry 0\.50$/);
  });
});
