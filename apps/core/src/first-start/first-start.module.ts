import { Module } from '@nestjs/common';
import { TokenModule } from '../token/token.module.js';
import { FirstStartService } from './first-start.service.js';
import { FirstStartStore } from './first-start.store.js';
import { StartUpService } from './start-up.service.js';

/** Schema, administrator and signing key: done before the service listens. */
@Module({
  imports: [TokenModule],
  providers: [FirstStartStore, FirstStartService, StartUpService],
})
export class FirstStartModule {}
