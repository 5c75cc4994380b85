/** The sign of the API: an open book. It has a ground of its own, so it stands out on light and on dark. */
export const icon = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1d4f91"/>' +
  '<path d="M16 10c-2-2-5-2.5-9-2.5v14.5c4 0 7 .5 9 2.5 2-2 5-2.5 9-2.5V7.5c-4 0-7 .5-9 2.5zm0 0v14.5" fill="none" stroke="#fff" stroke-width="2" stroke-linejoin="round"/></svg>'
