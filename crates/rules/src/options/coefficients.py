"""Coefficients of crates/rules/src/options/numeric.rs, by interpolation at Chebyshev nodes with 60 digits.

    python3 crates/rules/src/options/coefficients.py     (needs mpmath 1.3)
"""
from mpmath import *
mp.dps=60
def cheb_fit(f,a,b,n):
    # interpolate at n+1 chebyshev nodes -> monomial coefficients
    xs=[cos(pi*(2*i+1)/(2*(n+1))) for i in range(n+1)]
    ys=[f((b-a)/2*x+(a+b)/2) for x in xs]
    c=[]
    for j in range(n+1):
        c.append(2*sum(y*cos(j*pi*(2*i+1)/(2*(n+1))) for i,y in enumerate(ys))/(n+1))
    c[0]/=2
    return c
def cheb_to_mono(c):
    n=len(c)
    T=[[mpf(1)],[mpf(0),mpf(1)]]
    for k in range(2,n):
        t=[mpf(0)]+[2*v for v in T[-1]]
        for i,v in enumerate(T[-2]): t[i]-=v
        T.append(t)
    out=[mpf(0)]*n
    for k in range(n):
        for i,v in enumerate(T[k]): out[i]+=c[k]*v
    return out
def affine(mono,a,b):
    # p(t), t=(2z-a-b)/(b-a) -> in z
    al=2/(b-a); be=-(a+b)/(b-a)
    out=[mpf(0)]; 
    for c in reversed(mono):
        new=[mpf(0)]*(len(out)+1)
        for i,v in enumerate(out):
            new[i]+=v*be; new[i+1]+=v*al
        new[0]+=c; out=new
    return out[:len(mono)]
def show(name,co): 
    print(name); 
    for c in co: print('   ',repr(float(c)))
L=mpf('0.3470')
fe=lambda r:(expm1(r)-r)/r**2 if abs(r)>mpf(10)**-15 else mpf(1)/2+r/6+r*r/24
show('EXP',affine(cheb_to_mono(cheb_fit(fe,-L,L,9)),-L,L))
def fa(z):
    if z<mpf(10)**-12: return mpf(1)/3+z/5+z*z/7
    s=sqrt(z); return (atanh(s)/s-1)/z
# 2 atanh(s) = 2 s + s z Q(z), Q = 2*fa
show('LN',[2*c for c in affine(cheb_to_mono(cheb_fit(fa,mpf(0),mpf('0.0401'),7)),mpf(0),mpf('0.0401'))])
def quadM(z):
    s=mpf(0);t=1/z;k=0
    while True:
        s+=t; k+=1
        nt=-t*(2*k-1)/z**2
        if abs(nt)>abs(t) or abs(nt)<mpf(10)**-50: break
        t=nt
    return s
def M(z): return sqrt(pi/2)*exp(z*z/2)*erfc(z/sqrt(2)) if z<30 else quadM(z)
k_=mpf(5)
fm=lambda t: mpf(1) if t>=1 else (lambda z:(1+z)*M(z))(k_*(1+t)/(1-t))
c=cheb_to_mono(cheb_fit(fm,mpf(-1),mpf(1),23)); show('MILLS',c)
er=max(abs(polyval(c[::-1],t)/fm(t)-1) for t in linspace(-1,1,801)); print('mills err',nstr(er,3))
print(repr(float(1/sqrt(2*pi))),repr(float(1/log(2))))
