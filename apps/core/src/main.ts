import { runService } from '@haven/runtime';
import { CoreModule } from './core.module.js';
import { configureHttp, createHttpAdapter } from './http/http.module.js';
import { settingsFromEnvironment } from './settings.js';

const settings = settingsFromEnvironment();
await runService({
  service: 'core',
  settings,
  module: CoreModule.forRoot(settings),
  listen: { ...settings.HAVEN_LISTEN, adapter: createHttpAdapter(settings.HAVEN_TRUSTED_PROXIES) },
  configure: configureHttp,
});
