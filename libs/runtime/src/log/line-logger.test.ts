import { describe, expect, test } from '@jest/globals';
import { createLogger } from './line-logger.js';
import { FakeLogger } from './fake-logger.js';
import { NestLog } from './nest-log.js';

describe('the logger', () => {
  test('writes its level and above, with the fields of its ancestors', () => {
    const lines: string[] = [];
    const logger = createLogger({ service: 'core', level: 'warn', write: (line) => lines.push(line) });
    const child = logger.child({ requestId: 'r1' }).child({ user: 'user:3' });
    child.info('quiet');
    child.warn('loud', { user: 'user:4' });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([expect.objectContaining({ level: 'warn', message: 'loud', requestId: 'r1', user: 'user:4' })]);
  });

  test('hands lines of children to sinks too, until they are removed, whatever a sink throws', () => {
    const seen: string[] = [];
    const logger = createLogger({ service: 'core', write: () => undefined });
    logger.addSink(() => { throw new Error('full'); });
    const remove = logger.addSink((line) => seen.push(line));
    logger.child({}).info('one');
    remove();
    logger.info('two');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toContain('"message":"one"');
  });

  test('takes over Nest\'s log: chatter as debug, errors as errors', () => {
    const logger = new FakeLogger();
    const nest = new NestLog(logger);
    nest.log('Mapped {/x, GET} route', 'RouterExplorer');
    nest.error(new Error('broken'), 'stack', 'Context');
    expect(logger.messages('info')).toEqual(['broken']);
    expect(logger.messages()).toEqual(['Mapped {/x, GET} route', 'broken']);
  });
});
