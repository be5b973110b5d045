/* A stand-in for the vendor's chat archive library, with its documented C interface (wecom.md 15.1).
 *
 * The archive is fetched over plain HTTP/1.0 from the simulator whose address is in the environment variable
 * WEWORK_FINANCE_BASE ("http://host:port"). Records are sealed as the platform's are from outside (a random key under RSA, the
 * message under that key); the inner cipher is our own, since the vendor's is not documented: XTEA in counter mode and a checksum.
 *
 * For tests: an answer with the header "X-Crash: 1", and a message that begins with "!crash", kill the process as a fault in native
 * code would.
 */
#include <ctype.h>
#include <netdb.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

typedef struct WeWorkFinanceSdk_t {
  char corp[128];
  char secret[256];
} WeWorkFinanceSdk_t;

typedef struct Slice_t {
  char *buf;
  int len;
} Slice_t;

typedef struct MediaData {
  char *outindexbuf;
  int out_len;
  char *data;
  int data_len;
  int is_finish;
} MediaData_t;

enum { OK = 0, BAD_PARAMETER = 10000, NETWORK = 10001, UNREADABLE = 10002, NOT_OPENED = 10006 };

/* ------------------------------------------------------------------ the little that it needs of other things */

static char *copy_of(const char *from, size_t n) {
  char *to = malloc(n + 1);
  if (!to) return NULL;
  memcpy(to, from, n);
  to[n] = 0;
  return to;
}

static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *to_base64(const unsigned char *in, size_t n) {
  char *out = malloc((n + 2) / 3 * 4 + 1), *at = out;
  if (!out) return NULL;
  for (size_t i = 0; i < n; i += 3) {
    uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < n ? in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);
    *at++ = B64[v >> 18];
    *at++ = B64[v >> 12 & 63];
    *at++ = i + 1 < n ? B64[v >> 6 & 63] : '=';
    *at++ = i + 2 < n ? B64[v & 63] : '=';
  }
  *at = 0;
  return out;
}

/* NULL: no base64. */
static unsigned char *from_base64(const char *in, size_t *n) {
  size_t length = strlen(in), used = 0;
  unsigned char *out = malloc(length / 4 * 3 + 4);
  uint32_t v = 0;
  int bits = 0;
  if (!out) return NULL;
  for (size_t i = 0; i < length && in[i] != '='; i++) {
    const char *found = strchr(B64, in[i]);
    if (!found || !in[i]) {
      free(out);
      return NULL;
    }
    v = v << 6 | (uint32_t)(found - B64);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[used++] = (unsigned char)(v >> bits & 255);
    }
  }
  *n = used;
  return out;
}

static uint64_t sum_of(uint64_t h, const unsigned char *in, size_t n) {
  for (size_t i = 0; i < n; i++) h = (h ^ in[i]) * 1099511628211ULL;
  return h;
}

static void stream(const char *key, const unsigned char nonce[8], unsigned char *data, size_t n) {
  uint64_t a = sum_of(14695981039346656037ULL, (const unsigned char *)key, strlen(key));
  uint64_t b = sum_of(a ^ 0x9E3779B97F4A7C15ULL, (const unsigned char *)key, strlen(key));
  uint32_t k[4] = {(uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32)};
  uint64_t start;
  memcpy(&start, nonce, 8);
  for (size_t at = 0, block = 0; at < n; at += 8, block++) {
    uint64_t counter = start + block;
    uint32_t v0 = (uint32_t)counter, v1 = (uint32_t)(counter >> 32), sum = 0;
    for (int round = 0; round < 32; round++) {
      v0 += (((v1 << 4) ^ (v1 >> 5)) + v1) ^ (sum + k[sum & 3]);
      sum += 0x9E3779B9;
      v1 += (((v0 << 4) ^ (v0 >> 5)) + v0) ^ (sum + k[sum >> 11 & 3]);
    }
    unsigned char pad[8];
    memcpy(pad, &v0, 4);
    memcpy(pad + 4, &v1, 4);
    for (size_t i = 0; i < 8 && at + i < n; i++) data[at + i] ^= pad[i];
  }
}

/* ------------------------------------------------------------------ HTTP */

struct answer {
  char *all;
  const char *body;
  size_t body_len;
  int result;
};

static const char *header(const struct answer *a, const char *name) {
  size_t n = strlen(name);
  for (const char *line = strstr(a->all, "\r\n"); line && line + 2 < a->body; line = strstr(line + 2, "\r\n"))
    if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':') {
      line += 3 + n;
      while (*line == ' ') line++;
      return line;
    }
  return NULL;
}

static int connected(const char *base, int timeout) {
  char host[256], port[8] = "80";
  const char *at = strncmp(base, "http://", 7) == 0 ? base + 7 : base;
  size_t n = strcspn(at, ":/");
  if (n == 0 || n >= sizeof host) return -1;
  memcpy(host, at, n);
  host[n] = 0;
  if (at[n] == ':') {
    size_t digits = strspn(at + n + 1, "0123456789");
    if (digits == 0 || digits >= sizeof port) return -1;
    memcpy(port, at + n + 1, digits);
    port[digits] = 0;
  }
  struct addrinfo hints = {0}, *found = NULL;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host, port, &hints, &found)) return -1;
  int s = socket(found->ai_family, SOCK_STREAM, 0);
  struct timeval limit = {timeout > 0 ? timeout : 10, 0};
  if (s >= 0) {
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(s, found->ai_addr, found->ai_addrlen)) {
      close(s);
      s = -1;
    }
  }
  freeaddrinfo(found);
  return s;
}

/* The caller frees `all`, also after an error. */
static int post(const char *path, const char *body, int timeout, struct answer *a) {
  memset(a, 0, sizeof *a);
  const char *base = getenv("WEWORK_FINANCE_BASE");
  int s = base ? connected(base, timeout) : -1;
  if (s < 0) return NETWORK;
  size_t n = strlen(body), size = n + 512;
  char *request = malloc(size);
  if (!request) return close(s), NETWORK;
  int length = snprintf(request, size,
                        "POST %s HTTP/1.0\r\nHost: finance\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        path, n, body);
  for (int sent = 0; sent < length;) {
    ssize_t one = send(s, request + sent, (size_t)(length - sent), MSG_NOSIGNAL);
    if (one <= 0) {
      free(request);
      close(s);
      return NETWORK;
    }
    sent += (int)one;
  }
  free(request);
  size_t room = 1 << 16, used = 0;
  a->all = malloc(room + 1);
  for (;;) {
    if (!a->all) return close(s), NETWORK;
    ssize_t one = recv(s, a->all + used, room - used, 0);
    if (one < 0) return close(s), NETWORK;
    if (one == 0) break;
    used += (size_t)one;
    if (used == room) {
      char *more = realloc(a->all, (room *= 2) + 1);
      if (!more) return close(s), NETWORK;
      a->all = more;
    }
  }
  close(s);
  a->all[used] = 0;
  const char *end = strstr(a->all, "\r\n\r\n");
  if (!end || strncmp(a->all, "HTTP/1.", 7) || strncmp(a->all + 8, " 200", 4)) return NETWORK;
  a->body = end + 4;
  a->body_len = used - (size_t)(a->body - a->all);
  const char *told = header(a, "Content-Length");
  if (told && (size_t)strtoull(told, NULL, 10) != a->body_len) return NETWORK;
  if (header(a, "X-Crash")) raise(SIGSEGV);
  const char *result = header(a, "X-Result");
  return result ? atoi(result) : OK;
}

/* Quotes for JSON; ids and secrets of platforms hold nothing worse than a quote. */
static void quoted(char *to, size_t size, const char *from) {
  size_t used = 0;
  for (; *from && used + 8 < size; from++) {
    if (*from == '"' || *from == '\\') to[used++] = '\\';
    if ((unsigned char)*from >= 32) to[used++] = *from;
  }
  to[used] = 0;
}

/* ------------------------------------------------------------------ the interface */

WeWorkFinanceSdk_t *NewSdk(void) { return calloc(1, sizeof(WeWorkFinanceSdk_t)); }

void DestroySdk(WeWorkFinanceSdk_t *sdk) { free(sdk); }

int Init(WeWorkFinanceSdk_t *sdk, const char *corpid, const char *secret) {
  if (!sdk || !corpid || !*corpid || !secret || !*secret) return BAD_PARAMETER;
  quoted(sdk->corp, sizeof sdk->corp, corpid);
  quoted(sdk->secret, sizeof sdk->secret, secret);
  return OK;
}

Slice_t *NewSlice(void) { return calloc(1, sizeof(Slice_t)); }

void FreeSlice(Slice_t *slice) {
  if (slice) free(slice->buf);
  free(slice);
}

char *GetContentFromSlice(Slice_t *slice) { return slice ? slice->buf : NULL; }
int GetSliceLen(Slice_t *slice) { return slice ? slice->len : 0; }

int GetChatData(WeWorkFinanceSdk_t *sdk, unsigned long long seq, unsigned int limit, const char *proxy, const char *passwd,
                int timeout, Slice_t *out) {
  char body[1024];
  struct answer a;
  (void)proxy, (void)passwd;
  if (!sdk || !out || !*sdk->corp || limit == 0 || limit > 1000) return BAD_PARAMETER;
  snprintf(body, sizeof body, "{\"corpid\":\"%s\",\"secret\":\"%s\",\"seq\":%llu,\"limit\":%u}", sdk->corp, sdk->secret, seq, limit);
  int result = post("/finance/chatdata", body, timeout, &a);
  if (result == OK) {
    free(out->buf);
    out->buf = copy_of(a.body, a.body_len);
    out->len = (int)a.body_len;
  }
  free(a.all);
  return result;
}

int DecryptData(const char *encrypt_key, const char *encrypt_msg, Slice_t *msg) {
  size_t n = 0;
  uint64_t told;
  if (!encrypt_key || !encrypt_msg || !msg) return BAD_PARAMETER;
  if (strncmp(encrypt_msg, "!crash", 6) == 0) raise(SIGSEGV);
  unsigned char *raw = from_base64(encrypt_msg, &n);
  if (!raw || n < 16) {
    free(raw);
    return NOT_OPENED;
  }
  stream(encrypt_key, raw, raw + 8, n - 8);
  memcpy(&told, raw + n - 8, 8);
  if (told != sum_of(14695981039346656037ULL, raw + 8, n - 16)) {
    free(raw);
    return NOT_OPENED;
  }
  free(msg->buf);
  msg->buf = copy_of((const char *)raw + 8, n - 16);
  msg->len = (int)(n - 16);
  free(raw);
  return OK;
}

MediaData_t *NewMediaData(void) { return calloc(1, sizeof(MediaData_t)); }

void FreeMediaData(MediaData_t *media) {
  if (media) free(media->outindexbuf), free(media->data);
  free(media);
}

char *GetOutIndexBuf(MediaData_t *media) { return media ? media->outindexbuf : NULL; }
char *GetData(MediaData_t *media) { return media ? media->data : NULL; }
int GetIndexLen(MediaData_t *media) { return media ? media->out_len : 0; }
int GetDataLen(MediaData_t *media) { return media ? media->data_len : 0; }
int IsMediaDataFinish(MediaData_t *media) { return media ? media->is_finish : 0; }

int GetMediaData(WeWorkFinanceSdk_t *sdk, const char *indexbuf, const char *sdkFileid, const char *proxy, const char *passwd,
                 int timeout, MediaData_t *out) {
  static const size_t LONGEST = 8192;
  struct answer a;
  (void)proxy, (void)passwd;
  if (!sdk || !out || !*sdk->corp || !sdkFileid || !*sdkFileid || !indexbuf) return BAD_PARAMETER;
  char *body = malloc(LONGEST), *file = malloc(LONGEST / 2), index[256];
  if (!body || !file) return free(body), free(file), NETWORK;
  quoted(file, LONGEST / 2, sdkFileid);
  quoted(index, sizeof index, indexbuf);
  snprintf(body, LONGEST, "{\"corpid\":\"%s\",\"secret\":\"%s\",\"index\":\"%s\",\"file\":\"%s\"}", sdk->corp, sdk->secret, index, file);
  free(file);
  int result = post("/finance/media", body, timeout, &a);
  free(body);
  if (result == OK) {
    const char *next = header(&a, "X-Index"), *finish = header(&a, "X-Finish");
    size_t n = next ? strcspn(next, "\r\n") : 0;
    free(out->outindexbuf), free(out->data);
    out->outindexbuf = copy_of(next ? next : "", n);
    out->out_len = (int)n;
    out->data = copy_of(a.body, a.body_len);
    out->data_len = (int)a.body_len;
    out->is_finish = finish && *finish == '1';
  }
  free(a.all);
  return result;
}

/* Not of the vendor: how the simulator seals what DecryptData opens. The caller frees with FreeSlice. */
int StandInSeal(const char *key, uint64_t nonce, const char *message, int len, Slice_t *out) {
  size_t n = (size_t)len;
  unsigned char *raw = malloc(n + 16);
  uint64_t told = sum_of(14695981039346656037ULL, (const unsigned char *)message, n);
  if (!raw) return UNREADABLE;
  memcpy(raw, &nonce, 8);
  memcpy(raw + 8, message, n);
  memcpy(raw + 8 + n, &told, 8);
  stream(key, raw, raw + 8, n + 8);
  free(out->buf);
  out->buf = to_base64(raw, n + 16);
  out->len = (int)strlen(out->buf);
  free(raw);
  return OK;
}
