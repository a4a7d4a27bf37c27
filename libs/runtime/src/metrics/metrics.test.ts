import { expect, test } from '@jest/globals';
import { Metrics } from './metrics.js';

test('metrics are created once per name and printed for Prometheus', async () => {
  const metrics = new Metrics({ service: 'core' });
  metrics.counter({ name: 'haven_x_total', help: 'x' }).inc();
  metrics.counter({ name: 'haven_x_total', help: 'x' }).inc(2);
  expect(await metrics.text()).toContain('haven_x_total{service="core"} 3');
});

test('requests are counted by method, route and status; unheard-of methods do not make new series', async () => {
  const metrics = new Metrics();
  metrics.observeHttp({ method: 'GET', route: '/v2/', status: 200, seconds: 0.002 });
  metrics.observeHttp({ method: 'X1', route: 'none', status: 405, seconds: 1 });
  metrics.observeHttp({ method: 'X2', route: 'none', status: 405, seconds: 1 });
  const text = await metrics.text();
  expect(text).toContain('haven_http_request_duration_seconds_bucket{le="0.0025",method="GET",route="/v2/",status="200"} 1');
  expect(text).toContain('haven_http_request_duration_seconds_count{method="other",route="none",status="405"} 2');
});
