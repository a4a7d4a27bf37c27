import { Controller, Get } from '@nestjs/common';
import { Stats } from '@haven/api';
import { Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds } from '../http/response.interceptor.js';
import { noScanner } from './no-scanner.js';

/** How far scans of everything are: there are none without a scanner. */
@Controller('api/v2.0/scans')
export class ScanAllMetricsController {
  @Get('all/metrics')
  @Operation({ id: 'getLatestScanAllMetrics', tag: 'scanAll', summary: 'How far the latest scan of everything is; refused, as there is no scanner', refuses: ['PRECONDITION'] })
  @Requires(systemPermission('scan-all', 'read'))
  @Responds(Stats)
  latest(): Stats {
    throw noScanner();
  }

  @Get('schedule/metrics')
  @Operation({ id: 'getLatestScheduledScanAllMetrics', tag: 'scanAll', summary: 'How far the latest scan is that a schedule started; refused, as there is no scanner', refuses: ['PRECONDITION'] })
  @Requires(systemPermission('scan-all', 'read'))
  @Responds(Stats)
  latestScheduled(): Stats {
    throw noScanner();
  }
}
