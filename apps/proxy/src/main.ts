import { runService } from '@haven/runtime';
import { ProxyModule } from './proxy.module.js';
import { readProxySettings } from './settings.js';

const settings = readProxySettings();
await runService({ service: 'proxy', settings, module: ProxyModule.with(settings) });
