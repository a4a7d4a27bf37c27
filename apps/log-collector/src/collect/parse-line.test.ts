import { describe, expect, test } from '@jest/globals';
import { isServiceName, parseLine } from './parse-line.js';

describe('parseLine', () => {
  test('keeps our own lines as they are', () => {
    const text = '{"time":"2026-01-01T00:00:00.000Z","service":"job-service","message":"x"}';
    expect(parseLine(text)).toEqual({ service: 'job-service', text });
  });

  test.each(['../etc', '..', '', 'a/b', 'A', 'x'.repeat(64), '-a', 'a b', 'nul\u0000'])('puts lines of the service "%s" under "unknown"', (service) => {
    expect(isServiceName(service)).toBe(false);
    expect(parseLine(JSON.stringify({ service }))?.service).toBe('unknown');
  });

  test.each(['plain text', '"text"', '[1]', 'null', '{"a":', 'a\nb'])('wraps %j into an object on one line', (line) => {
    const { service, text } = parseLine(line)!;
    expect(service).toBe('unknown');
    expect(text).not.toContain('\n');
    expect(JSON.parse(text)).toMatchObject({ message: line, malformed: true });
  });

  test('brings an object that spans lines onto one', () => {
    expect(parseLine('{\n"service":\r\n"core"}')).toEqual({ service: 'core', text: '{"service":"core"}' });
  });

  test('refuses lines that are too long', () => {
    expect(parseLine(`{"message":"${'x'.repeat(70_000)}"}`)).toBeUndefined();
  });
});
