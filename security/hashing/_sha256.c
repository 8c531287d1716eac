/* SHA-256 (FIPS 180-4) of one stream or of two at once, by the SHA instructions of x86-64.
 *
 * One core has room for two streams: the rounds of one wait for each other, those of another fill
 * the gaps. Optional: without it digests are made by hashlib, and are equal. Importing it fails on
 * a processor that lacks the instructions.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#if (defined(__x86_64__) || defined(_M_X64)) && (defined(__GNUC__) || defined(__clang__))
#define HAVE_SHA 1
#include <cpuid.h>
#include <immintrin.h>
#endif

#define BLOCK 64
#define WORTH_A_SWITCH 2048 /* bytes from which on other threads may run meanwhile */

typedef struct {
    PyObject_HEAD
    uint32_t state[8];
    uint64_t length;             /* bytes taken in */
    unsigned char part[BLOCK];   /* the length % BLOCK bytes that fill no block yet */
    int busy;                    /* in use by a thread that let go of the lock; kept under it */
} Sha256;

static PyTypeObject *sha256_type;

#ifdef HAVE_SHA

static const uint32_t FIRST[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t K[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))

/* One stream's working state: the two halves as the instructions want them, and 16 words. */
#define STREAM(x) __m128i x##0, x##1, x##s0, x##s1, x##m[4]

#define OPEN(x, state)                                                        \
    do {                                                                      \
        __m128i low = _mm_loadu_si128((const __m128i *)(state));              \
        __m128i high = _mm_loadu_si128((const __m128i *)((state) + 4));       \
        low = _mm_shuffle_epi32(low, 0xB1);                                   \
        high = _mm_shuffle_epi32(high, 0x1B);                                 \
        x##0 = _mm_alignr_epi8(low, high, 8);      /* A B E F */              \
        x##1 = _mm_blend_epi16(high, low, 0xF0);   /* C D G H */              \
    } while (0)

#define CLOSE(x, state)                                                       \
    do {                                                                      \
        __m128i low = _mm_shuffle_epi32(x##0, 0x1B);                          \
        __m128i high = _mm_shuffle_epi32(x##1, 0xB1);                         \
        _mm_storeu_si128((__m128i *)(state), _mm_blend_epi16(low, high, 0xF0)); \
        _mm_storeu_si128((__m128i *)((state) + 4), _mm_alignr_epi8(high, low, 8)); \
    } while (0)

#define LOAD(x, data)                                                         \
    do {                                                                      \
        x##s0 = x##0;                                                         \
        x##s1 = x##1;                                                         \
        for (int word = 0; word < 4; word++)                                  \
            x##m[word] = _mm_shuffle_epi8(                                    \
                _mm_loadu_si128((const __m128i *)(data) + word), swap);       \
    } while (0)

/* Rounds 4i to 4i+3, and what the message schedule can already know of later rounds. */
#define ROUNDS(x, i)                                                          \
    do {                                                                      \
        __m128i sum = _mm_add_epi32(x##m[(i) & 3],                            \
                                    _mm_load_si128((const __m128i *)K + (i))); \
        x##1 = _mm_sha256rnds2_epu32(x##1, x##0, sum);                        \
        if ((i) >= 3 && (i) < 15) {                                           \
            __m128i *next = &x##m[((i) + 1) & 3];                             \
            *next = _mm_add_epi32(                                            \
                *next, _mm_alignr_epi8(x##m[(i) & 3], x##m[((i) + 3) & 3], 4)); \
            *next = _mm_sha256msg2_epu32(*next, x##m[(i) & 3]);               \
        }                                                                     \
        x##0 = _mm_sha256rnds2_epu32(x##0, x##1, _mm_shuffle_epi32(sum, 0x0E)); \
        if ((i) >= 1 && (i) < 13)                                             \
            x##m[((i) + 3) & 3] =                                             \
                _mm_sha256msg1_epu32(x##m[((i) + 3) & 3], x##m[(i) & 3]);     \
    } while (0)

#define ADD(x)                                                                \
    do {                                                                      \
        x##0 = _mm_add_epi32(x##0, x##s0);                                    \
        x##1 = _mm_add_epi32(x##1, x##s1);                                    \
    } while (0)

#define SIXTEEN(DO)                                                           \
    DO(0); DO(1); DO(2); DO(3); DO(4); DO(5); DO(6); DO(7);                   \
    DO(8); DO(9); DO(10); DO(11); DO(12); DO(13); DO(14); DO(15)

#define SWAP _mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL)

TARGET static void
blocks(uint32_t *state, const unsigned char *data, size_t count)
{
    const __m128i swap = SWAP;
    STREAM(a);
    OPEN(a, state);
    for (; count; count--, data += BLOCK) {
        LOAD(a, data);
#define ONE(i) ROUNDS(a, i)
        SIXTEEN(ONE);
        ADD(a);
    }
    CLOSE(a, state);
}

TARGET static void
blocks_of_both(uint32_t *one, const unsigned char *data, uint32_t *other,
               const unsigned char *more, size_t count)
{
    const __m128i swap = SWAP;
    STREAM(a);
    STREAM(b);
    OPEN(a, one);
    OPEN(b, other);
    for (; count; count--, data += BLOCK, more += BLOCK) {
        LOAD(a, data);
        LOAD(b, more);
#define TWO(i) ROUNDS(a, i); ROUNDS(b, i)
        SIXTEEN(TWO);
        ADD(a);
        ADD(b);
    }
    CLOSE(a, one);
    CLOSE(b, other);
}

static int
supported(void)
{
    unsigned int a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29));
}

/* Take bytes until no part of a block is left over from before, or none are left. */
static void
fill(Sha256 *self, const unsigned char **data, size_t *size)
{
    size_t have = self->length % BLOCK, take = BLOCK - have;
    if (!have)
        return;
    if (take > *size)
        take = *size;
    memcpy(self->part + have, *data, take);
    self->length += take;
    *data += take;
    *size -= take;
    if (have + take == BLOCK)
        blocks(self->state, self->part, 1);
}

/* Take all the rest, which begins on a block. */
static void
rest(Sha256 *self, const unsigned char *data, size_t size)
{
    size_t whole = size / BLOCK;
    if (!size)
        return;
    blocks(self->state, data, whole);
    self->length += size;
    memcpy(self->part, data + whole * BLOCK, size % BLOCK);
}

static void
take(Sha256 *self, const unsigned char *data, size_t size)
{
    fill(self, &data, &size);
    rest(self, data, size);
}

static void
take_both(Sha256 *one, const unsigned char *data, size_t size, Sha256 *other,
          const unsigned char *more, size_t count)
{
    size_t whole;
    fill(one, &data, &size);
    fill(other, &more, &count);
    whole = (size < count ? size : count) / BLOCK;
    if (whole) {
        blocks_of_both(one->state, data, other->state, more, whole);
        whole *= BLOCK;
        one->length += whole;
        other->length += whole;
        data += whole;
        more += whole;
    }
    rest(one, data, size - whole);
    rest(other, more, count - whole);
}

static PyObject *
in_use(void)
{
    PyErr_SetString(PyExc_RuntimeError, "a digest can take in one thing at a time");
    return NULL;
}

static PyObject *
sha256_update(Sha256 *self, PyObject *arg)
{
    Py_buffer data;
    if (self->busy)
        return in_use();
    if (PyObject_GetBuffer(arg, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    if (data.len >= WORTH_A_SWITCH) {
        self->busy = 1;
        Py_BEGIN_ALLOW_THREADS
        take(self, data.buf, (size_t)data.len);
        Py_END_ALLOW_THREADS
        self->busy = 0;
    } else {
        take(self, data.buf, (size_t)data.len);
    }
    PyBuffer_Release(&data);
    Py_RETURN_NONE;
}

static PyObject *
sha256_hexdigest(Sha256 *self, PyObject *none)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char tail[2 * BLOCK] = {0};
    uint32_t state[8];
    char text[64];
    size_t have = self->length % BLOCK, size = have < 56 ? BLOCK : 2 * BLOCK;
    if (self->busy)
        return in_use();
    memcpy(state, self->state, sizeof state);
    memcpy(tail, self->part, have);
    tail[have] = 0x80;
    for (int i = 0; i < 8; i++)
        tail[size - 1 - i] = (unsigned char)((self->length * 8) >> (8 * i));
    blocks(state, tail, size / BLOCK);
    for (int i = 0; i < 64; i++)
        text[i] = digits[(state[i / 8] >> (28 - 4 * (i % 8))) & 15];
    return PyUnicode_FromStringAndSize(text, 64);
}

static PyObject *
sha256_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    Sha256 *self;
    if (PyTuple_Size(args) || (names && PyDict_Size(names))) {
        PyErr_SetString(PyExc_TypeError, "sha256() takes no arguments");
        return NULL;
    }
    self = (Sha256 *)PyType_GenericAlloc(type, 0);
    if (self)
        memcpy(self->state, FIRST, sizeof FIRST);
    return (PyObject *)self;
}

static PyObject *
both(PyObject *module, PyObject *args)
{
    Sha256 *one, *other;
    Py_buffer data, more;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "O!y*O!y*:both", sha256_type, &one, &data, sha256_type, &other,
                          &more))
        return NULL;
    if (one->busy || other->busy || one == other) {
        in_use();
    } else {
        one->busy = other->busy = 1;
        Py_BEGIN_ALLOW_THREADS
        take_both(one, data.buf, (size_t)data.len, other, more.buf, (size_t)more.len);
        Py_END_ALLOW_THREADS
        one->busy = other->busy = 0;
        result = Py_NewRef(Py_None);
    }
    PyBuffer_Release(&data);
    PyBuffer_Release(&more);
    return result;
}

static PyMethodDef sha256_methods[] = {
    {"update", (PyCFunction)sha256_update, METH_O, "Take in more bytes."},
    {"hexdigest", (PyCFunction)sha256_hexdigest, METH_NOARGS,
     "Return the digest of all bytes so far, in lower-case hex."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot sha256_slots[] = {
    {Py_tp_doc, "A SHA-256 digest in the making."},
    {Py_tp_new, sha256_new},
    {Py_tp_methods, sha256_methods},
    {0, NULL}};

static PyType_Spec sha256_spec = {
    "security.hashing._sha256.sha256", sizeof(Sha256), 0, Py_TPFLAGS_DEFAULT, sha256_slots};

static PyMethodDef module_methods[] = {
    {"both", both, METH_VARARGS, "Update two digests at once: both(one, data, other, more)."},
    {NULL, NULL, 0, NULL}};

#endif /* HAVE_SHA */

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sha256",
    .m_doc = "SHA-256 of two streams on one core.",
    .m_size = -1,
#ifdef HAVE_SHA
    .m_methods = module_methods,
#endif
};

PyMODINIT_FUNC
PyInit__sha256(void)
{
    PyObject *module = NULL;
#ifdef HAVE_SHA
    if (supported()) {
        sha256_type = (PyTypeObject *)PyType_FromSpec(&sha256_spec);
        module = sha256_type ? PyModule_Create(&module_definition) : NULL;
        if (module && PyModule_AddObjectRef(module, "sha256", (PyObject *)sha256_type) < 0)
            Py_CLEAR(module);
        return module;
    }
#endif
    (void)module_definition;
    PyErr_SetString(PyExc_ImportError, "this processor has no SHA instructions");
    return module;
}
