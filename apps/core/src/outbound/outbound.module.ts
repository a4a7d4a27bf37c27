import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { GuardedClient, OutboundClient } from '@haven/outbound';
import { CoreOptions } from '../platform/core-options.js';

/** How core sends requests to hosts that people name. */
@Module({
  providers: [{ provide: OutboundClient, inject: [CoreOptions], useFactory: ({ outboundRules: rules }: CoreOptions) => new GuardedClient({ rules, userAgent: 'Haven' }) }],
  exports: [OutboundClient],
})
export class OutboundModule implements OnApplicationShutdown {
  constructor(private readonly client: OutboundClient) {}

  onApplicationShutdown(): void {
    this.client.close();
  }
}
