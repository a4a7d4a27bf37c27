import { Module, type DynamicModule } from '@nestjs/common';
import { AdditionModule } from './addition/addition.module.js';
import { AllowlistModule } from './allowlist/allowlist.module.js';
import { ArtifactModule } from './artifact/artifact.module.js';
import { AuditModule } from './audit/audit.module.js';
import { BinModule } from './bin/bin.module.js';
import { ConfigurationModule } from './configuration/configuration.module.js';
import { EventModule } from './event/event.module.js';
import { FirstStartModule } from './first-start/first-start.module.js';
import { GroupModule } from './group/group.module.js';
import { HttpModule } from './http/http.module.js';
import { IconModule } from './icon/icon.module.js';
import { ImmutabilityModule } from './immutability/immutability.module.js';
import { JobMonitorModule } from './job-monitor/job-monitor.module.js';
import { LabelModule } from './label/label.module.js';
import { MaintenanceModule } from './maintenance/maintenance.module.js';
import { AuthProxyModule } from './identity/auth-proxy/auth-proxy.module.js';
import { LdapModule } from './identity/ldap/ldap.module.js';
import { MemberModule } from './member/member.module.js';
import { OidcModule } from './oidc/oidc.module.js';
import { OpenApiModule } from './openapi/openapi.module.js';
import { PermissionModule } from './permission/permission.module.js';
import { PlatformModule } from './platform/platform.module.js';
import { ProjectModule } from './project/project.module.js';
import { QuotaModule } from './quota/quota.module.js';
import { ReconciliationModule } from './reconciliation/reconciliation.module.js';
import { RegistryModule } from './registry/registry.module.js';
import { RepositoryModule } from './repository/repository.module.js';
import { RetentionModule } from './retention/retention.module.js';
import { RobotModule } from './robot/robot.module.js';
import { ScanAllModule } from './scan-all/scan-all.module.js';
import { ScanDataExportModule } from './scan-data-export/scan-data-export.module.js';
import { ScheduleModule } from './schedule/schedule.module.js';
import type { CoreSettings } from './settings.js';
import { SignInModule } from './session/sign-in.module.js';
import { SearchModule } from './search/search.module.js';
import { StatisticsModule } from './statistics/statistics.module.js';
import { SystemModule } from './system/system.module.js';
import { TagModule } from './tag/tag.module.js';
import { TokenModule } from './token/token.module.js';
import { UserModule } from './user/user.module.js';
import { WebhookModule } from './webhook/webhook.module.js';

/** The REST API, the token service and identity. */
@Module({ imports: [HttpModule, ConfigurationModule, FirstStartModule, TokenModule, SignInModule, OidcModule, SystemModule, UserModule, ProjectModule, AllowlistModule, QuotaModule, SearchModule, StatisticsModule, LdapModule, AuthProxyModule, MemberModule, RepositoryModule, ArtifactModule, AdditionModule, TagModule, BinModule, AuditModule, LabelModule, IconModule, RobotModule, PermissionModule, GroupModule, ImmutabilityModule, RetentionModule, ReconciliationModule, ScheduleModule, MaintenanceModule, JobMonitorModule, ScanAllModule, ScanDataExportModule, RegistryModule, WebhookModule, EventModule, OpenApiModule] })
export class CoreModule {
  static forRoot(settings: CoreSettings): DynamicModule {
    return { module: CoreModule, imports: [PlatformModule.forRoot(settings)] };
  }
}
