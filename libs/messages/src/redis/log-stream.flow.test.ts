import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeLogger } from '@haven/runtime';
import { eventually } from '../testing/eventually.js';
import { testRedisUrl } from '../testing/settings.js';
import { TcpRelay } from '../testing/tcp-relay.js';
import { connectRedis, type Messages } from './connect-redis.js';

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => JSON.stringify({ number: index }));

describe('the log stream', () => {
  let prefix: string;
  let relay: TcpRelay;
  let opened: Messages[];

  async function open(url = testRedisUrl()): Promise<Messages> {
    const messages = connectRedis(url, new FakeLogger(), { prefix });
    opened.push(messages);
    return messages;
  }

  beforeEach(() => {
    prefix = `test-${randomUUID()}`;
    relay = new TcpRelay(testRedisUrl());
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((messages) => messages.close()));
    await relay.cut();
  });

  test('carries lines in order, also those sent before anybody read, and closing sends the last ones', async () => {
    const sender = await open();
    await eventually('Redis answering', () => sender.ping().then(() => true, () => false));
    for (const line of numbers(2500)) sender.logShipper.sink(line);
    await sender.close();
    expect([sender.logShipper.sent, sender.logShipper.dropped]).toEqual([2500, 0]);

    const collector = await open();
    const stored: string[] = [];
    const reader = collector.logReader('one');
    reader.start(async (lines) => { stored.push(...lines); });
    await eventually('all lines arriving', () => stored.length >= 2500);
    expect(stored).toEqual(numbers(2500));
    await eventually('the stream being empty', async () => (await reader.lag()) === 0);
  });

  test('hands lines out again when they could not be stored', async () => {
    const [sender, collector] = [await open(), await open()];
    const stored: string[] = [];
    let failures = 0;
    collector.logReader('one').start(async (lines) => {
      if (failures++ < 2) throw new Error('disk full');
      stored.push(...lines);
    });
    for (const line of numbers(10)) sender.logShipper.sink(line);
    await eventually('all lines arriving', () => stored.length >= 10);
    expect(stored).toEqual(numbers(10));
  });

  test('goes on with what a killed reader of the same name was given', async () => {
    const [sender, crashed] = [await open(), await open()];
    let given = 0;
    let end: (error: Error) => void = () => undefined;
    // Does not resolve, as if the process had been killed while it wrote.
    crashed.logReader('same').start((lines) => {
      given += lines.length;
      return new Promise((_resolve, reject) => { end = reject; });
    });
    for (const line of numbers(10)) sender.logShipper.sink(line);
    await eventually('the first reader being given lines', () => given > 0);
    const restarted = await open();
    const stored: string[] = [];
    restarted.logReader('same').start(async (lines) => { stored.push(...lines); });
    await eventually('all lines arriving', () => stored.length >= 10);
    expect(stored).toEqual(numbers(10));
    const closed = crashed.close();
    end(new Error('the test is over'));
    await closed;
  });

  test('keeps lines in memory while Redis is down, up to its bound', async () => {
    await relay.reserve();
    const sender = await open(relay.url);
    const long = 'x'.repeat(100_000);
    for (const line of numbers(100)) sender.logShipper.sink(line);
    expect(sender.logShipper.dropped).toBe(0);
    for (let index = 0; index < 200; index++) sender.logShipper.sink(long);
    expect(sender.logShipper.dropped).toBeGreaterThan(100);
    const kept = 300 - sender.logShipper.dropped;
    await relay.open();
    await eventually('Redis taking the rest', () => sender.logShipper.sent === kept, 20);
  });

  test('survives an outage without losing a line', async () => {
    await relay.open();
    const [sender, collector] = [await open(relay.url), await open(relay.url)];
    const stored = new Set<string>();
    collector.logReader('one').start(async (lines) => { for (const line of lines) stored.add(line); });
    const lines = numbers(300);
    for (const line of lines.slice(0, 100)) sender.logShipper.sink(line);
    await eventually('the first lines arriving', () => stored.size === 100);
    await relay.cut();
    for (const line of lines.slice(100, 200)) sender.logShipper.sink(line);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await relay.open();
    for (const line of lines.slice(200)) sender.logShipper.sink(line);
    await eventually('all lines arriving', () => stored.size >= 300, 25);
    expect([...stored].sort()).toEqual(lines.sort());
    expect(sender.logShipper.dropped).toBe(0);
  }, 60_000);
});
