/** What a merge patch may come as: RFC 7396 section 4, and what clients send that do not know it. */
export const PATCH_TYPES = ['application/merge-patch+json', 'application/json'] as const

/** The header Accept-Patch (RFC 5789 section 3.1). */
export const ACCEPT_PATCH = PATCH_TYPES.join(', ')

/** What records in lines of JSON go by; the first one is the most common. */
export const NDJSON_TYPES = ['application/x-ndjson', 'application/jsonl'] as const

/** RFC 4180 section 3. */
export const CSV_TYPE = 'text/csv'

/** What many records come and go as. */
export const ROW_TYPES = [...NDJSON_TYPES, CSV_TYPE] as const

/** What a probe answers (draft-inadarei-api-health-check). */
export const HEALTH_TYPE = 'application/health+json'
