import { Module } from '@nestjs/common';
import { HttpModule } from '../http/http.module.js';
import { IdentityModule } from '../identity/identity.module.js';
import { SigningKeyService } from './signing-key.service.js';
import { SigningKeyStore } from './signing-key.store.js';
import { TokenController } from './token.controller.js';
import { TokenService } from './token.service.js';
import { TokenStore } from './token.store.js';

/** Registry tokens. */
@Module({
  imports: [HttpModule, IdentityModule],
  controllers: [TokenController],
  providers: [SigningKeyStore, SigningKeyService, TokenStore, TokenService],
  exports: [SigningKeyService],
})
export class TokenModule {}
