import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { errorCode, TestClient } from '../testing/test-client.js';

let client: TestClient;

beforeAll(async () => {
  client = await TestClient.start();
});
afterAll(() => client.stop());

describe('lists', () => {
  test('of tags are cut into pages', async () => {
    for (const tag of ['a', 'b', 'c']) await client.pushImage(tag, {}, 'alpha/other');
    const first = await client.call('GET', '/v2/alpha/other/tags/list?n=2');
    expect(await first.json()).toEqual({ name: 'alpha/other', tags: ['a', 'b'] });
    expect(first.headers.get('link')).toBe('</v2/alpha/other/tags/list?n=2&last=b>; rel="next"');
    const second = await client.call('GET', '/v2/alpha/other/tags/list?n=2&last=b');
    expect([await second.json(), second.headers.get('link')]).toEqual([{ name: 'alpha/other', tags: ['c'] }, null]);
    const none = await client.call('GET', '/v2/alpha/other/tags/list?n=0');
    expect([await none.json(), none.headers.get('link')]).toEqual([{ name: 'alpha/other', tags: [] }, null]);
  });

  test.each(['-1', 'abc', '1e9', '0x10', ' 5', '9223372036854775807', '', '1&n=2'])('M-01: refuse n=%s', async (n) => {
    const response = await client.call('GET', `/v2/alpha/app/tags/list?n=${n}`);
    expect([response.status, await errorCode(response)]).toEqual([400, 'PAGINATION_NUMBER_INVALID']);
  });

  test('M-01: are never longer than a thousand entries, and say so', async () => {
    await client.pushImage('1', {}, 'alpha/other');
    await client.registry.database.execute(`INSERT INTO tag (repository_id, name, manifest_id)
      SELECT r.id, 'many-' || n, (SELECT max(id) FROM manifest WHERE repository_id = r.id) FROM repository r, generate_series(1, 1100) AS n WHERE r.name = 'alpha/other'`);
    const response = await client.call('GET', '/v2/alpha/other/tags/list?n=5000');
    expect(((await response.json()) as { tags: string[] }).tags).toHaveLength(1000);
    expect(response.headers.get('warning')).toBe('299 - "a page has at most 1000 entries; follow the Link header"');
  });

  test('of repositories are for administrators', async () => {
    const admin = await client.registry.sign([{ type: 'registry', name: 'catalog', actions: ['*'] }]);
    await client.pushImage('listed');
    const response = await client.call('GET', '/v2/_catalog?n=1', { token: admin });
    expect([response.status, await response.json()]).toEqual([200, { repositories: ['alpha/app'] }]);
  });
});
