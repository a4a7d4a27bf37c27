import { Module, type DynamicModule } from '@nestjs/common';
import { PROXY_SETTINGS, ProxyService } from './proxy.service.js';
import type { ProxySettings } from './settings.js';

/** All of the proxy that Nest knows. */
@Module({})
export class ProxyModule {
  static with(settings: ProxySettings): DynamicModule {
    return { module: ProxyModule, providers: [{ provide: PROXY_SETTINGS, useValue: settings }, ProxyService], exports: [ProxyService] };
  }
}
