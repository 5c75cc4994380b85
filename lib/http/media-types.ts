/** What a merge patch may come as: RFC 7396 section 4, and what clients send that do not know it. */
export const PATCH_TYPES = ['application/merge-patch+json', 'application/json'] as const

/** The header Accept-Patch (RFC 5789 section 3.1). */
export const ACCEPT_PATCH = PATCH_TYPES.join(', ')
