import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { OIDCPingReq, Problem } from '@haven/api';
import { Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { WorksWhileReadOnly } from '../configuration/read-only.guard.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { Operation } from '../http/operation.js';
import { RespondsNothing } from '../http/response.interceptor.js';
import { ProviderError } from './provider-connection.js';
import { ProviderService } from './provider.service.js';

@Controller('api/v2.0/system/oidc')
export class OidcPingController {
  constructor(
    private readonly providers: ProviderService,
    private readonly configuration: ConfigurationService,
  ) {}

  @Post('ping')
  @HttpCode(200)
  @Operation({ id: 'pingOIDC', tag: 'oidc', summary: 'Try an OpenID provider before it is set', audits: 'nothing' })
  @Requires(systemPermission('configuration', 'update'))
  @WorksWhileReadOnly()
  @RespondsNothing()
  async ping(@Body({ schema: OIDCPingReq }) { url, verify_cert: verify }: OIDCPingReq): Promise<void> {
    const { oidc_endpoint: endpoint, oidc_verify_cert: verifyCertificate } = await this.configuration.current();
    const wanted = url === undefined || url === '' ? endpoint : url;
    if (wanted === '') throw new Problem('BAD_REQUEST', 'url: name the address of the OpenID provider; none is set yet');
    try {
      await this.providers.probe(wanted, verify ?? verifyCertificate);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      throw new Problem('BAD_REQUEST', `this OpenID provider cannot be used: ${error.message}`, { cause: error });
    }
  }
}
