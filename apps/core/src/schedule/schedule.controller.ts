import { Controller, Get, Param, Query } from '@nestjs/common';
import { PageQuery, Problem, ScheduleTask, SchedulerStatus, type Page } from '@haven/api';
import { Schedules, type Schedule } from '@haven/execution';
import { nextTimes } from '@haven/policy';
import { Requires } from '../authorization/requirement.guard.js';
import { authenticated, systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsPageOf } from '../http/response.interceptor.js';
import { mapPage } from '../listing/select-page.js';

const TIMES_SHOWN = 5;

@Controller('api/v2.0/schedules')
export class ScheduleController {
  constructor(private readonly schedules: Schedules) {}

  @Get()
  @Operation({ id: 'listSchedules', tag: 'schedule', summary: 'List everything that starts by itself, with its next times', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('jobservice-monitor', 'list'))
  @RespondsPageOf(ScheduleTask)
  async list(@Query({ schema: PageQuery }) { page, page_size: size }: PageQuery): Promise<Page<ScheduleTask>> {
    const paused = await this.schedules.arePaused();
    return mapPage(await this.schedules.list({ page, size }), (schedule) => scheduleOf(schedule, paused));
  }

  @Get(':job_type/paused')
  @Operation({ id: 'getSchedulePaused', tag: 'schedule', summary: 'Tell whether schedules are paused; the job type must be all', refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @Responds(SchedulerStatus)
  async paused(@Param('job_type') jobType: string): Promise<SchedulerStatus> {
    if (jobType.toLowerCase() !== 'all') throw new Problem('BAD_REQUEST', 'the job type must be "all": schedules are paused together');
    return { paused: await this.schedules.arePaused() };
  }
}

/** `nextDueAt` may lie behind the clock when nobody has started it yet: it is the first of its times either way. */
function scheduleOf({ id, vendorType, vendorId, cron, nextDueAt, updatedAt }: Schedule, paused: boolean): ScheduleTask {
  const times = paused ? [] : [nextDueAt, ...nextTimes(cron, TIMES_SHOWN - 1, nextDueAt)];
  return { id, vendor_type: vendorType, vendor_id: vendorId, cron, update_time: updatedAt.toISOString(), next_times: times.map((time) => time.toISOString()) };
}
