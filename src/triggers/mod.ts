/** What starts runs by itself, and what tells others of them: schedules and webhooks. @module */
export { type Owner, type OwnerKeys, OwnerSchema, type Standing } from "./owner.ts";
export { createOwnerKeys, type OwnedKey } from "./owner_keys.ts";
export { createMemoryScheduleStore } from "./schedules/memory_schedule_store.ts";
export {
  type CatchUp,
  type Fire,
  type Overlap,
  type ScheduleDefinition,
  ScheduleDefinitionSchema,
  type ScheduleRecord,
} from "./schedules/schedule.ts";
export type { ScheduleStore } from "./schedules/schedule_store.ts";
export { Scheduler, type SchedulerOptions } from "./schedules/scheduler.ts";
export {
  createSchedules,
  type Schedules,
  type SchedulesOptions,
  type ScheduleTimes,
  type ScheduleView,
} from "./schedules/schedules.ts";
export { createDeliveries, type Deliveries } from "./webhooks/deliveries.ts";
export { Deliverer, type DelivererOptions } from "./webhooks/deliverer.ts";
export { type Delivery, type EventRef, newDelivery, type PlacedEvent } from "./webhooks/delivery.ts";
export type { DeliveryStore, OutboundLog, Scan } from "./webhooks/delivery_store.ts";
export { createInbound, type DeliveryOutcome, type Inbound, type IncomingDelivery } from "./webhooks/inbound.ts";
export { createMemoryDeliveryStore } from "./webhooks/memory_delivery_store.ts";
export { MemoryOutboundLog } from "./webhooks/memory_outbound_log.ts";
export { createMemoryWebhookStore } from "./webhooks/memory_webhook_store.ts";
export { Outbound, type OutboundOptions } from "./webhooks/outbound.ts";
export { type Resealed, resealWebhooks } from "./webhooks/reseal_webhooks.ts";
export { signHeaders, verifySignature } from "./webhooks/signature.ts";
export {
  type InboundDefinition,
  InboundSchema,
  type OutboundDefinition,
  type OutboundEvent,
  OutboundSchema,
  type Receipt,
  type StoredSecret,
  StoredSecretsSchema,
  type WebhookDefinition,
  WebhookDefinitionSchema,
  type WebhookRecord,
  type WebhookStats,
} from "./webhooks/webhook.ts";
export type { StoredWebhook, WebhookStore } from "./webhooks/webhook_store.ts";
export { createWebhooks, type IssuedWebhook, type Webhooks, type WebhookView } from "./webhooks/webhooks.ts";
